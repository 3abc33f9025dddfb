// Blanks around a text, and other characters that nobody sees.
#pragma once

#include <algorithm>
#include <cstdint>

#include <ringpost/base.h>

namespace ringpost::codec {

[[nodiscard]] inline Bytes without_outer_blanks(Bytes text, Bytes blanks = " \t") {
  if (!text.empty() && text.front() > ' ' && text.back() > ' ') {
    return text;  // as nearly all have it
  }
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// What no value of a header field may have (RFC 5322 2.2).
[[nodiscard]] constexpr bool is_control_but_tab(char character) {
  return (static_cast<std::uint8_t>(character) < 0x20 && character != '\t') || character == '\x7f';
}

}  // namespace ringpost::codec
