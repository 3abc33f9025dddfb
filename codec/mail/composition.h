// A finished message (RFC 5322, MIME) made of the parts that a job names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codec/journal/line_hash.h"
#include "codec/mail/address.h"
#include "codec/mail/attachment.h"
#include "codec/mail/composition_error.h"
#include "codec/mail/header_field.h"
#include "codec/mail/part_tree.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// All of it is lent for the call.
struct Composition {
  std::span<const Mailbox> from;  // none when `headers` has it
  std::span<const Mailbox> reply_to;
  std::span<const Mailbox> to;
  std::span<const Mailbox> cc;  // there is no bcc: it lives in the envelope only
  std::optional<Bytes> subject;
  std::optional<TextPart> text;
  std::optional<TextPart> html;
  std::span<const HeaderField> headers;
  std::span<const Attachment> attachments;
  Bytes message_id_domain;   // right-hand side of a generated Message-ID
  LineHash identity;         // Message-ID and boundaries are made of it
  std::int64_t date_us = 0;  // for a generated Date
};

// `Message-ID: <hash@domain>` with its CRLF.
void append_message_id_field(std::string& out, const LineHash& identity, Bytes domain);

// Appends the message to `content`, which should be empty: CRLF line ends only, and 7 bits only
// unless an address or an attached message in it is not ASCII. The same draft gives the same
// octets. On error `content` is unspecified.
[[nodiscard]] Composed compose(const Composition& draft, std::string& content);

}  // namespace ringpost::codec
