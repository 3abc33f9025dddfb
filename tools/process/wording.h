// How messages to people show what somebody wrote.
#pragma once

#include <string>
#include <string_view>

#include <ringpost/base.h>

namespace ringpost::cli {

// `text` in double quotes, cut to a sane length and safe to print. (Not quoted(): std::quoted would
// be found for a std::string.)
[[nodiscard]] std::string in_quotes(Bytes text);

// `text` cut to a sane length, without quotes: control characters and octets that are not UTF-8 are
// escaped, so that a server's words can steer no terminal and forge no line.
[[nodiscard]] std::string printable(Bytes text);

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
