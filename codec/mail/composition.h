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
#include "codec/mail/content_check.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// A field that the job gives by name.
struct HeaderField {
  std::string name;
  std::string value;  // UTF-8

  void clear();
};

// Field names are the same whatever their case (RFC 5322 1.2.2).
[[nodiscard]] bool equal_field_names(Bytes left, Bytes right);

struct Attachment {
  std::string file_name;     // UTF-8; may be empty
  std::string content_type;  // `type/subtype[; name=value]`; empty: by the file name's ending
  std::string content_id;  // without brackets; when there is html, it makes the part an inline one
  std::string content;     // its octets, decoded

  void clear();
};

// Text that went through canonicalise_text().
struct TextPart {
  Bytes text;
  ContentTraits traits;
};

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

enum class CompositionErrorKind : std::uint8_t {
  header_name,      // not the name of a field
  header_value,     // CR, LF or another control in a value
  header_owned,     // a field that only compose() may write
  header_repeated,  // a field that may stand once stands twice
  header_conflict,  // a field that the job gives in its own place too
  header_too_long,  // a word that fits on no line
  content_type,
  content_id,
  file_name,
  attached_message,  // one that cannot be attached as it is
  no_author,         // From stands nowhere (RFC 5322 3.6 requires it)
  no_content,        // neither text nor html nor attachments
};

struct CompositionError {
  CompositionErrorKind kind = CompositionErrorKind::no_content;
  std::string field;   // of the job, as "headers.Subject" or "attachments[0].cid"; may be empty
  std::string reason;  // for people
};

// Parts of type `message/...` stand in a message as they are (RFC 2046 5.2.1), so they have to be
// what a message may be: CRLF line ends, 998 octets a line, a header field in front.
[[nodiscard]] bool is_message_type(Bytes content_type);

// Appends the message to `content`, which should be empty: CRLF line ends only, and 7 bits only
// unless an address or an attached message in it is not ASCII. The same draft gives the same
// octets. On error `content` is unspecified.
//
// Structure: mixed( alternative( text, related( html, inline parts ) ), attachments ), where each
// level that has one child is left out. A text or html without a character is no part as long as
// there is another: readers show an empty page for it. Text parts go as 7bit if they can, else as
// quoted-printable, or base64 when more than half of their octets is not ASCII. Text that is
// attached is never inline, since readers would add it to the body.
[[nodiscard]] Result<void, CompositionError> compose(const Composition& draft,
                                                     std::string& content);

}  // namespace ringpost::codec
