// The problem: X.509 has two forms of time, one of them with two digits for the year.
//
// The idea: RFC 5280 allows exactly one spelling of each (seconds, UTC, no fraction), so both are
// digits at fixed places.
//
// Limits: other spellings of X.680 are refused, as RFC 5280 demands.
#include "tls/certificate_time.h"

#include <chrono>

#include "tls/der.h"

namespace ringpost::tls {

namespace {

// `digits` decimal digits of `text` from `begin` on, which have been seen to be digits.
int digits_at(Bytes text, std::size_t begin, std::size_t digits) {
  int value = 0;
  for (const char digit : text.substr(begin, digits)) {
    value = value * 10 + (digit - '0');
  }
  return value;
}

}  // namespace

// YYMMDDHHMMSSZ until 2049, YYYYMMDDHHMMSSZ afterwards (RFC 5280 4.1.2.5).
std::optional<std::int64_t> take_time(Bytes& rest) {
  const auto time = der::take(rest);
  if (!time) {
    return std::nullopt;
  }
  const bool is_long = time->tag == der::generalized_time;
  const std::size_t year_digits = is_long ? 4 : 2;
  const Bytes text = time->content;
  if ((!is_long && time->tag != der::utc_time) || text.size() != year_digits + 11 ||
      text.back() != 'Z' ||
      text.substr(0, text.size() - 1).find_first_not_of("0123456789") != Bytes::npos) {
    return std::nullopt;
  }
  int year = digits_at(text, 0, year_digits);
  if (!is_long) {
    year += year < 50 ? 2000 : 1900;
  }
  const auto two = [&](std::size_t index) { return digits_at(text, year_digits + 2 * index, 2); };
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(two(0))),
                                         std::chrono::day(static_cast<unsigned>(two(1)))};
  if (!date.ok() || two(2) > 23 || two(3) > 59 || two(4) > 60) {
    return std::nullopt;
  }
  const auto moment = std::chrono::sys_days(date) + std::chrono::hours(two(2)) +
                      std::chrono::minutes(two(3)) + std::chrono::seconds(two(4));
  return std::chrono::duration_cast<std::chrono::seconds>(moment.time_since_epoch()).count();
}

}  // namespace ringpost::tls
