// Words for people.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "codec/text/shown_text.h"
#include <ringpost/base.h>

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

// "0.4", "12.3", "1,204": so many a second
[[nodiscard]] inline std::string per_second_text(double per_second) {
  return per_second < 100 ? fmt::format("{:.1f}", per_second)
                          : grouped_digits(static_cast<std::uint64_t>(per_second + 0.5));
}

// "1 job", "2 jobs", "0 jobs"
[[nodiscard]] inline std::string counted(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

// "0.4 ms", "12 ms", "1.2 s"
[[nodiscard]] inline std::string time_text(Duration time) {
  const double ms = std::chrono::duration<double, std::milli>(time).count();
  return ms < 9.95     ? fmt::format("{:.1f} ms", ms)
         : ms < 9999.5 ? fmt::format("{:.0f} ms", ms)
                       : fmt::format("{:.1f} s", ms / 1000);
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
