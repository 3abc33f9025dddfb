// The problem: the library's functions read more than people mean ("1e9", "inf", "-1"), and a unit
// that is guessed wrong is a thousandfold. The idea: digits first, then one of a few units, and
// nothing behind; durations and rates have bounds within which no sum with them overflows, and
// errors show how it is written. Limits: k is 1,000, and never 1,024; what is below a millisecond
// is not shown.
#include "tools/process/numbers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

constexpr double year_seconds = 366.0 * 24 * 3600;

// Splits "10k" into its digits and what stands behind them.
std::pair<Bytes, Bytes> split_number(Bytes text, bool decimals) {
  std::size_t length = 0;
  while (length < text.size() &&
         (codec::is_digit(text[length]) || (decimals && text[length] == '.'))) {
    ++length;
  }
  return {text.substr(0, length), text.substr(length)};
}

// Digits with at most one point between them: from_chars alone takes "inf", "1e9" and "-1" too.
std::optional<double> decimal(Bytes digits) {
  const auto points = std::count(digits.begin(), digits.end(), '.');
  if (digits.empty() || points > 1 || !codec::is_digit(digits.front()) ||
      !codec::is_digit(digits.back())) {
    return std::nullopt;
  }
  double value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stopped_at, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc{} || stopped_at != end || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint64_t> multiplier(Bytes suffix) {
  if (suffix.empty()) {
    return 1;
  }
  if (suffix == "k" || suffix == "K") {
    return 1'000;
  }
  if (suffix == "M") {
    return 1'000'000;
  }
  return std::nullopt;
}

std::string out_of_range(Bytes text, NumberRange range) {
  if (range.max == UINT64_MAX) {
    return fmt::format("{} is too small: at least {}", in_quotes(text), range.min);
  }
  return fmt::format("{} is out of range: from {} to {}", in_quotes(text), range.min, range.max);
}

struct TimeUnit {
  std::string_view name;
  double seconds;
};
constexpr std::array<TimeUnit, 4> time_units = {{{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}}};

}  // namespace

Result<std::uint64_t, std::string> parse_number(Bytes text, NumberRange range) {
  const auto [digits, suffix] = split_number(text, false);
  const std::optional<std::uint64_t> factor = multiplier(suffix);
  if (digits.empty() || !factor) {
    return Failure(fmt::format("{} is no whole number (write 10, 10k or 10M)", in_quotes(text)));
  }
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool overflows = parsed.ec != std::errc{} || value > UINT64_MAX / *factor;
  if (overflows) {
    return Failure(fmt::format("{} is too large", in_quotes(text)));
  }
  value *= *factor;
  if (value < range.min || value > range.max) {
    return Failure(out_of_range(text, range));
  }
  return value;
}

Result<std::uint16_t, std::string> parse_port(Bytes text) {
  constexpr std::uint16_t port_max = 65535;
  const bool digits_only = std::all_of(text.begin(), text.end(), codec::is_digit);
  const auto number = parse_number(text, {.min = 1, .max = port_max});
  if (!number || !digits_only) {
    return Failure(fmt::format("{} is no port: a number from 1 to {}, such as 587", in_quotes(text),
                               port_max));
  }
  return static_cast<std::uint16_t>(*number);
}

Result<Duration, std::string> parse_duration(Bytes text) {
  if (text == "0") {
    return Duration::zero();
  }
  const auto [digits, unit_name] = split_number(text, true);
  const std::optional<double> value = decimal(digits);
  const auto* const unit =
      std::find_if(time_units.begin(), time_units.end(),
                   [name = unit_name](const TimeUnit& known) { return known.name == name; });
  if (!value || unit == time_units.end()) {
    if (value && unit_name.empty()) {
      return Failure(
          fmt::format("{} has no unit (write {}s or {}ms)", in_quotes(text), digits, digits));
    }
    return Failure(fmt::format("{} is no duration (write 500ms, 30s, 5m or 1h)", in_quotes(text)));
  }
  const double seconds = *value * unit->seconds;
  if (seconds > year_seconds) {
    return Failure(fmt::format("{} is longer than a year", in_quotes(text)));
  }
  return Duration(std::llround(seconds * 1e9));
}

Result<bool, std::string> parse_boolean(Bytes text) {
  std::string lower(text.substr(0, 8));
  std::transform(lower.begin(), lower.end(), lower.begin(), codec::lower);
  if (lower == "true" || lower == "yes" || lower == "on" || lower == "1") {
    return true;
  }
  if (lower == "false" || lower == "no" || lower == "off" || lower == "0") {
    return false;
  }
  return Failure(fmt::format("{} is neither true nor false", in_quotes(text)));
}

std::string duration_text(Duration duration) {
  using std::chrono::duration_cast;
  const auto milliseconds = duration_cast<std::chrono::milliseconds>(duration).count();
  if (milliseconds == 0) {
    return "0";
  }
  if (milliseconds % 3'600'000 == 0) {
    return fmt::format("{}h", milliseconds / 3'600'000);
  }
  if (milliseconds % 60'000 == 0) {
    return fmt::format("{}m", milliseconds / 60'000);
  }
  if (milliseconds % 1000 == 0) {
    return fmt::format("{}s", milliseconds / 1000);
  }
  return fmt::format("{}ms", milliseconds);
}

}  // namespace ringpost::cli
