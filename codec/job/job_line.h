// A message as a job line (docs/CONTRACT.md section 2), for whoever keeps messages until they are
// sent.
#pragma once

#include <string>

#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::codec {

// Appends one line, newline included, of which JobReader makes the message again: its envelope, its
// content octet for octet, id, tags, metadata, endpoint, expiry, DSN and idempotency key. What has
// no place in a line is left behind: `recipient_id`, `origin`, `context`, and that a content with a
// header in UTF-8 may go to a server without SMTPUTF8, which a reader does not assume. Tags and
// metadata are copied as they stand. Precondition: the content is sealed.
void append_job_line(std::string& out, const Message& message);

}  // namespace ringpost::codec
