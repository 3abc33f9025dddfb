// The parts of a message (MIME) behind its header, with their own fields in front of each.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/journal/line_hash.h"
#include "codec/mail/attachment.h"
#include "codec/mail/composition_error.h"
#include "codec/mail/content_check.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Text that went through canonicalise_text(); or, where it is open, text that comes later, as
// quoted-printable.
struct TextPart {
  Bytes text;
  ContentTraits traits;
  bool is_open = false;
};

// Lent for the call.
struct PartTree {
  const TextPart* text = nullptr;
  const TextPart* html = nullptr;
  std::span<const Attachment> attachments;
  LineHash identity;  // boundaries are made of it
};

// Where the text of an open part is to be put.
struct OpenText {
  std::size_t offset = 0;  // in what was appended
  bool is_html = false;
  bool is_all = false;  // nothing follows: its last line is to be ended, where it is open
};

// Appends the fields of the outermost part, the empty line and all parts; the last line of the
// message's own fields is in front of it. Attachments were checked. 7 bits, unless an attached
// message has more. Open parts are named in `open`, which may be null where there is none.
//
// Structure: mixed( alternative( text, related( html, inline parts ) ), attachments ), where each
// level that has one child is left out. A text or html without a character is no part as long as
// there is another: readers show an empty page for it. Text parts go as 7bit if they can, else as
// quoted-printable, or base64 when more than half of their octets is not ASCII. Text that is
// attached is never inline, since readers would add it to the body.
[[nodiscard]] Composed append_parts(const PartTree& tree, std::string& out,
                                    std::vector<OpenText>* open = nullptr);

// Roughly how many octets that takes.
[[nodiscard]] std::size_t size_of_parts(const PartTree& tree);

}  // namespace ringpost::codec
