// Numbers as people write them in flags, variables and files: 10k, 30s, 14/s.
#pragma once

#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::cli {

// Each error is a clause that quotes the text, as in `"10x" is no number (write 10, 10k or 10M)`.

// Whole numbers with an optional suffix k (a thousand) or M (a million), from `min` to `max`.
struct NumberRange {
  std::uint64_t min = 0;
  std::uint64_t max = UINT64_MAX;
};
[[nodiscard]] Result<std::uint64_t, std::string> parse_number(Bytes text, NumberRange range);

// From 1 to 65535, in digits alone.
[[nodiscard]] Result<std::uint16_t, std::string> parse_port(Bytes text);

// A number, with decimals if need be, and its unit: 500ms, 30s, 1.5m, 2h. A bare 0 needs none. At
// most a year, which bounds every sum with a clock.
[[nodiscard]] Result<Duration, std::string> parse_duration(Bytes text);

// true, yes, on, 1 or false, no, off, 0; case does not count.
[[nodiscard]] Result<bool, std::string> parse_boolean(Bytes text);

// The shortest text that parse_duration() reads as the same: "30s", "1500ms".
[[nodiscard]] std::string duration_text(Duration duration);

}  // namespace ringpost::cli
