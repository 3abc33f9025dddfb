// The name that a server gave a message it took, out of the words of its reply.
#pragma once

#include <ringpost/base.h>

namespace ringpost::codec {

// `text` are the words behind code and enhanced status; it may have several lines, and the result
// is a view into it. Empty when the server named none: a wrong id is worse than none, since people
// look for it in logs, so a number that stands among other words is left alone.
//
// Known are the ways in which servers name one:
// - behind words: `queued as ID`, `queued with id ID`, `queued on HOST as ID`, `id=ID`, `ids=ID`,
//   `envelope id ID` (Postfix and its kin, Exim, and others);
// - in parentheses behind `queued`, or at the end of a line that has it: `Message Queued (ID)`;
// - in front: `ID Message accepted for delivery` (sendmail, OpenSMTPD);
// - alone, or behind nothing but `OK`, with or without punctuation: `Ok ID`, `Ok. ID`, `<ID> [..]`.
[[nodiscard]] Bytes find_queue_id(Bytes text);

}  // namespace ringpost::codec
