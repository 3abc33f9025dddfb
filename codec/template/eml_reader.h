// A message as a mail program saves it, read as a template for many.
#pragma once

#include <string>

#include "codec/mail/mime_decoding.h"
#include "codec/template/message_template.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// What the message says to everybody: From, Reply-To, Subject, its other fields, text, html,
// attachments and inline images, decoded. What a copy has of its own (Date, Message-ID, who it was
// for) and what the way of this one has left in it (Received, signatures, marks of mail programs)
// is not taken; `To` is where it has a tag. An error is a sentence that begins with `line N:` where
// there is one: what a template cannot have is refused by name, and nothing is repaired.
[[nodiscard]] Result<TemplateDefinition, std::string> read_eml(Bytes octets, ToUtf8 to_utf8);

}  // namespace ringpost::codec
