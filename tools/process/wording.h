// Words for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "codec/text/shown_text.h"

namespace ringpost::cli {

using codec::in_quotes;
using codec::printable;

// "1,204"
[[nodiscard]] inline std::string grouped_digits(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) {
    digits.insert(at - 3, 1, ',');
  }
  return digits;
}

// The elements one behind the other. fmt::join does the same, and has GCC 12 warn about fmt itself.
template <typename Texts>
[[nodiscard]] std::string joined(const Texts& texts, std::string_view separator) {
  std::string out;
  bool is_first = true;
  for (const auto& text : texts) {
    out += is_first ? std::string_view{} : separator;
    out += text;
    is_first = false;
  }
  return out;
}

}  // namespace ringpost::cli
