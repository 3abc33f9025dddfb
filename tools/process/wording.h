// Words for people.
#pragma once

#include <string>
#include <string_view>

#include "codec/text/shown_text.h"

namespace ringpost::cli {

using codec::in_quotes;
using codec::printable;

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
