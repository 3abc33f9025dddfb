// The time of day.
#pragma once

#include <chrono>
#include <cstdint>

namespace ringpost::cli {

// Microseconds since 1970, by the clock that an administrator can set.
[[nodiscard]] inline std::int64_t unix_time_us() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace ringpost::cli
