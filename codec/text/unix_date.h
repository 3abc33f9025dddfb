// Unix time as the dates that stand in messages and outcome lines. No clock: the caller knows the
// time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

// Times beyond the years 0001 to 9999 are written as the nearest one that can be.

// `2026-11-20T21:22:23.456Z`.
void append_rfc3339(std::string& out, std::int64_t unix_us);

// `Fri, 20 Nov 2026 21:22:23 +0000` (RFC 5322 3.3).
void append_rfc5322_date(std::string& out, std::int64_t unix_seconds);

// Microseconds of `2026-11-20T21:22:23[.fraction](Z|+hh:mm|-hh:mm)`; nothing when it is no such
// date. A leap second (:60) counts as the first second of the next minute. Digits beyond
// microseconds are cut.
[[nodiscard]] std::optional<std::int64_t> parse_rfc3339(Bytes text);

// Writes many times that are close to each other: the date and time up to the second are kept from
// call to call. One thread.
class Rfc3339Writer {
 public:
  void append(std::string& out, std::int64_t unix_us);

 private:
  std::int64_t cached_second_ = INT64_MIN;
  std::string cached_text_;
};

}  // namespace ringpost::codec
