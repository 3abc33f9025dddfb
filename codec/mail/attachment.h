// A file within a message.
#pragma once

#include <cstddef>
#include <string>

#include "codec/mail/composition_error.h"
#include <ringpost/base.h>

namespace ringpost::codec {

struct Attachment {
  std::string file_name;     // UTF-8; may be empty
  std::string content_type;  // `type/subtype[; name=value]`; empty: by the file name's ending
  std::string content_id;  // without brackets; when there is html, it makes the part an inline one
  std::string content;     // its octets, decoded

  void clear();
};

// Parts of type `message/...` stand in a message as they are (RFC 2046 5.2.1), so they have to be
// what a message may be: CRLF line ends, 998 octets a line, a header field in front.
[[nodiscard]] bool is_message_type(Bytes content_type);
// Of type `text/...`.
[[nodiscard]] bool is_text_type(Bytes content_type);

// An error is about `attachments[index]` or a member of it.
[[nodiscard]] Composed check_attachment(const Attachment& attachment, std::size_t index);

// As given, or guessed by the file's name.
[[nodiscard]] Bytes content_type_of(const Attachment& attachment);
// Whether it has `name=` already.
[[nodiscard]] bool has_name_parameter(Bytes content_type);

}  // namespace ringpost::codec
