// What a message has encoded, back as it was: the content of its parts, and words in its fields.
#pragma once

#include <string>

#include "codec/mail/mime_header.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Octets of a charset as UTF-8. An error is a clause for people: the charset is not known, or the
// octets are none of its text. Handed in: tables of charsets are the machine's.
using ToUtf8 = Result<std::string, std::string> (*)(Bytes charset, Bytes octets);

// The octets of a body by its Content-Transfer-Encoding: 7bit, 8bit, binary, quoted-printable,
// base64, in any case; empty is 7bit. Strict: what could be read in two ways is refused. An error
// is a clause for people.
[[nodiscard]] Result<std::string, std::string> decode_body(Bytes body, Bytes encoding);

// Text of a field with its encoded words (RFC 2047) in UTF-8. Words beside each other lose the
// blanks between them and, where they are of one charset, are decoded together, since there are
// programs that cut characters. What only looks like a word stays as it is.
[[nodiscard]] Result<std::string, std::string> decode_words(Bytes text, ToUtf8 to_utf8);

// The same for a parameter; RFC 2047 forbids words in them and everybody decodes them.
[[nodiscard]] Result<std::string, std::string> decode_parameter(const MimeParameter& parameter,
                                                                ToUtf8 to_utf8);

// Text with `format=flowed` (RFC 3676) with one line for each paragraph. Line ends are CRLF.
[[nodiscard]] std::string unflowed(Bytes text, bool delete_space);

}  // namespace ringpost::codec
