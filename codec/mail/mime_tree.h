// A message taken apart as MIME has it (RFC 2046): a tree of parts, whose content is as it stands.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "codec/mail/mime_error.h"
#include "codec/mail/mime_header.h"
#include <ringpost/base.h>

namespace ringpost::codec {

struct MimePart {
  std::vector<MimeField> fields;
  Bytes body;                         // without the line end in front of a boundary
  std::size_t offset = 0;             // of the body, in the text
  MimeValue type;                     // Content-Type; `text/plain` where there is none
  std::vector<std::size_t> children;  // of a multipart, as indices into the tree
  std::string number;                 // as IMAP counts: "1.2"; empty for the message itself
  std::size_t depth = 0;

  [[nodiscard]] bool is_multipart() const { return type.word.starts_with("multipart/"); }
  [[nodiscard]] const MimeField* find(Bytes name) const;
};

// The first is the message; none is empty of a part. A message within the message is a part without
// parts: its text is its body. Views into the text, which whoever asked keeps.
using MimeTree = std::vector<MimePart>;

// Reads text whose line ends are CRLF. Strict: each multipart has its boundaries and its end; what
// stands in front of the first one and behind the last is not shown by anybody (RFC 2046 5.1) and
// is not in the tree. Bounded by limits::mime_depth_max and limits::mime_parts_max.
[[nodiscard]] Result<MimeTree, MimeError> read_mime_tree(Bytes text);

}  // namespace ringpost::codec
