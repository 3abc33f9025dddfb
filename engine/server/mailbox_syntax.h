// Is this a mailbox? RFC 5321 4.1.2 and 4.5.3.1, and RFC 6531 3.3 for what is not ASCII.
#pragma once

#include <ringpost/base.h>

namespace ringpost::server {

struct Mailbox {
  Bytes local_part;
  Bytes domain;  // or address literal, with its brackets
  bool ascii = true;
};

// Everything but the length of the whole path and of the local part is checked. Fails on anything
// that is no mailbox.
[[nodiscard]] Result<Mailbox, Bytes> parse_mailbox(Bytes text);

// A dot-separated row of labels; of letters, digits, inner hyphens and, if told so, UTF-8.
[[nodiscard]] bool is_domain(Bytes text, bool utf8);
[[nodiscard]] bool is_address_literal(Bytes text);
[[nodiscard]] bool is_ascii(Bytes text);

}  // namespace ringpost::server
