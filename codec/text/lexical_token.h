// The characters and tokens of RFC 5322 3.2 that addresses and header fields are made of.
#pragma once

#include <cstddef>

#include "codec/text/ascii.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// atext (RFC 5322 3.2.3), ASCII only.
[[nodiscard]] constexpr bool is_atext(char character) {
  constexpr Bytes specials = "!#$%&'*+-/=?^_`{|}~";
  return is_alphanumeric(character) || specials.find(character) != Bytes::npos;
}

// Octets of the quoted string that `text` begins with, quotes included (RFC 5322 3.2.4); 0 when it
// is not closed. The first octet is not looked at.
[[nodiscard]] constexpr std::size_t quoted_string_size(Bytes text) {
  for (std::size_t index = 1; index < text.size(); ++index) {
    if (text[index] == '\\') {
      ++index;
    } else if (text[index] == '"') {
      return index + 1;
    }
  }
  return 0;
}

}  // namespace ringpost::codec
