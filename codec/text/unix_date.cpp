// The problem: every outcome line has a time, and every message a date, whatever the machine thinks
// of time zones and languages. The idea: the calendar of <chrono> does the sums, and digits and
// English names are written and read here; whoever writes many times keeps the part up to the
// second. Limits: what is written is UTC; the offset of a time that was read is not kept.
#include "codec/text/unix_date.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "codec/text/ascii.h"

namespace ringpost::codec {

namespace {

constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::int64_t us_per_second = 1'000'000;
constexpr std::int64_t first_second = -62'135'596'800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t last_second = 253'402'300'799;   // 9999-12-31T23:59:59Z

constexpr std::int64_t floor_divide(std::int64_t value, std::int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

// A moment in UTC, taken apart.
struct CivilTime {
  std::chrono::year_month_day date;
  unsigned weekday = 0;  // Sunday is 0
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
};

CivilTime civil_time(std::int64_t unix_seconds) {
  const std::int64_t seconds = std::clamp(unix_seconds, first_second, last_second);
  const std::int64_t days = floor_divide(seconds, seconds_per_day);
  const auto of_day = static_cast<unsigned>(seconds - days * seconds_per_day);
  const std::chrono::sys_days day{std::chrono::days{days}};
  return {std::chrono::year_month_day{day}, std::chrono::weekday{day}.c_encoding(), of_day / 3600,
          of_day / 60 % 60, of_day % 60};
}

template <std::size_t width>
void append_digits(std::string& out, unsigned value) {
  std::array<char, width> digits;
  for (std::size_t index = width; index-- > 0; value /= 10) {
    digits[index] = static_cast<char>('0' + value % 10);
  }
  out.append(digits.data(), width);
}

void append_clock(std::string& out, const CivilTime& time) {
  append_digits<2>(out, time.hour);
  out += ':';
  append_digits<2>(out, time.minute);
  out += ':';
  append_digits<2>(out, time.second);
}

unsigned year_of(const CivilTime& time) {
  return static_cast<unsigned>(static_cast<int>(time.date.year()));
}

// `2026-11-20T21:22:23`.
void append_rfc3339_seconds(std::string& out, std::int64_t unix_seconds) {
  const CivilTime time = civil_time(unix_seconds);
  append_digits<4>(out, year_of(time));
  out += '-';
  append_digits<2>(out, static_cast<unsigned>(time.date.month()));
  out += '-';
  append_digits<2>(out, static_cast<unsigned>(time.date.day()));
  out += 'T';
  append_clock(out, time);
}

void append_milliseconds_and_zone(std::string& out, std::int64_t unix_us) {
  const std::int64_t remainder = unix_us % us_per_second;
  const std::int64_t within = remainder < 0 ? remainder + us_per_second : remainder;
  out += '.';
  append_digits<3>(out, static_cast<unsigned>(within / 1000));
  out += 'Z';
}

// Reads a date from its front; `valid` turns false at the first thing that is not as it should be.
struct DateText {
  Bytes rest;
  bool valid = true;

  unsigned number(std::size_t width, unsigned maximum) {
    unsigned value = 0;
    valid = valid && rest.size() >= width;
    for (std::size_t index = 0; valid && index < width; ++index) {
      valid = is_digit(rest[index]);
      value = value * 10 + static_cast<unsigned>(rest[index] - '0');
    }
    rest.remove_prefix(valid ? width : 0);
    valid = valid && value <= maximum;
    return value;
  }

  // One of two spellings of a separator.
  void expect(char character, char other) {
    valid = valid && !rest.empty() && (rest[0] == character || rest[0] == other);
    rest.remove_prefix(valid ? 1 : 0);
  }

  // Digits behind a dot, as microseconds.
  std::int64_t fraction_us() {
    if (!valid || rest.empty() || rest[0] != '.') {
      return 0;
    }
    rest.remove_prefix(1);
    std::int64_t value = 0;
    std::int64_t place = us_per_second / 10;
    valid = !rest.empty() && is_digit(rest[0]);
    while (!rest.empty() && is_digit(rest[0])) {
      value += place * (rest[0] - '0');
      place /= 10;
      rest.remove_prefix(1);
    }
    return value;
  }

  // Seconds that the date is ahead of UTC.
  std::int64_t zone_seconds() {
    if (!valid || rest.empty()) {
      valid = false;
      return 0;
    }
    const char sign = rest[0];
    rest.remove_prefix(1);
    if (sign == 'Z' || sign == 'z') {
      return 0;
    }
    valid = sign == '+' || sign == '-';
    const unsigned hours = number(2, 23);
    expect(':', ':');
    const unsigned minutes = number(2, 59);
    const std::int64_t seconds = std::int64_t{hours} * 3600 + std::int64_t{minutes} * 60;
    return sign == '-' ? -seconds : seconds;
  }
};

}  // namespace

void append_rfc3339(std::string& out, std::int64_t unix_us) {
  append_rfc3339_seconds(out, floor_divide(unix_us, us_per_second));
  append_milliseconds_and_zone(out, unix_us);
}

void append_rfc5322_date(std::string& out, std::int64_t unix_seconds) {
  constexpr std::string_view weekdays = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const CivilTime time = civil_time(unix_seconds);
  out += weekdays.substr(std::size_t{time.weekday} * 3, 3);
  out += ", ";
  append_digits<2>(out, static_cast<unsigned>(time.date.day()));
  out += ' ';
  out += months.substr((std::size_t{static_cast<unsigned>(time.date.month())} - 1) * 3, 3);
  out += ' ';
  append_digits<4>(out, year_of(time));
  out += ' ';
  append_clock(out, time);
  out += " +0000";
}

std::optional<std::int64_t> parse_rfc3339(Bytes text) {
  DateText date{text};
  const unsigned year = date.number(4, 9999);
  date.expect('-', '-');
  const unsigned month = date.number(2, 12);
  date.expect('-', '-');
  const unsigned day = date.number(2, 31);
  date.expect('T', 't');
  const unsigned hour = date.number(2, 23);
  date.expect(':', ':');
  const unsigned minute = date.number(2, 59);
  date.expect(':', ':');
  const unsigned second = date.number(2, 60);
  const std::int64_t fraction_us = date.fraction_us();
  const std::int64_t zone_seconds = date.zone_seconds();
  const std::chrono::year_month_day civil{std::chrono::year{static_cast<int>(year)},
                                          std::chrono::month{month}, std::chrono::day{day}};
  if (!date.valid || !date.rest.empty() || !civil.ok()) {
    return std::nullopt;
  }
  const std::int64_t days = std::chrono::sys_days{civil}.time_since_epoch().count();
  const std::int64_t seconds = days * seconds_per_day + std::int64_t{hour} * 3600 +
                               std::int64_t{minute} * 60 + second - zone_seconds;
  return seconds * us_per_second + fraction_us;
}

void Rfc3339Writer::append(std::string& out, std::int64_t unix_us) {
  const std::int64_t second = floor_divide(unix_us, us_per_second);
  if (second != cached_second_ || cached_text_.empty()) {
    cached_text_.clear();
    append_rfc3339_seconds(cached_text_, second);
    cached_second_ = second;
  }
  out += cached_text_;
  append_milliseconds_and_zone(out, unix_us);
}

}  // namespace ringpost::codec
