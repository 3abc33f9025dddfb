// How much a provider takes of one account: so many messages, recipients or octets in any stretch
// of time.
#pragma once

#include <cstdint>

#include <ringpost/base.h>

namespace ringpost {

// What is counted. An octet is one of the content of a message, as it goes out.
enum class QuotaUnit : std::uint8_t { messages, recipients, octets };
inline constexpr std::size_t quota_units = 3;

// The window that a limit is named for. An endpoint has one limit at most of a unit and a period.
enum class QuotaPeriod : std::uint8_t { second, minute, hour, day };
inline constexpr std::size_t quota_periods = 4;

[[nodiscard]] constexpr Duration length_of(QuotaPeriod period) {
  switch (period) {
    case QuotaPeriod::second:
      return std::chrono::seconds(1);
    case QuotaPeriod::minute:
      return std::chrono::minutes(1);
    case QuotaPeriod::hour:
      return std::chrono::hours(1);
    case QuotaPeriod::day:
      return std::chrono::hours(24);
  }
  return std::chrono::seconds(1);
}

// `amount` units, at least one, within any stretch of this length.
struct RateWindow {
  std::uint64_t amount = 1;
  Duration length = std::chrono::seconds(1);
  bool operator==(const RateWindow&) const = default;

  [[nodiscard]] double per_second() const {
    return static_cast<double>(amount) / std::chrono::duration<double>(length).count();
  }
};

struct QuotaLimit {
  QuotaUnit unit = QuotaUnit::messages;
  QuotaPeriod period = QuotaPeriod::second;
  // Its length is that of the period, or another one for a limit that is no whole number: 0.5 a
  // second is one in two seconds.
  RateWindow window = {};
  bool operator==(const QuotaLimit&) const = default;
};

// So many messages in any second.
[[nodiscard]] constexpr QuotaLimit messages_per_second(std::uint64_t amount) {
  return {.unit = QuotaUnit::messages,
          .period = QuotaPeriod::second,
          .window = {.amount = amount, .length = std::chrono::seconds(1)}};
}

}  // namespace ringpost
