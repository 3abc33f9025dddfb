// Pauses between tries, and their length in words.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::engine {

// The n-th pause in a row, from 1: `first`, doubled up to `longest`, and a quarter more or less, so
// that those who lost a server together do not come back together. The moment decides the chance:
// the same inputs give the same pause.
[[nodiscard]] inline Duration growing_pause(Duration first, Duration longest, std::uint32_t pauses,
                                            Instant now) {
  const std::uint32_t doublings = std::min(pauses > 0 ? pauses - 1 : 0, 20u);
  const Duration pause = std::min(longest, first * (1u << doublings));
  auto bits = static_cast<std::uint64_t>(now.time_since_epoch().count()) + pauses;
  bits = (bits ^ (bits >> 33)) * 0xff51afd7ed558ccdull;
  bits = (bits ^ (bits >> 33)) * 0xc4ceb9fe1a85ec53ull;
  const double chance = static_cast<double>((bits ^ (bits >> 33)) >> 11) * 0x1.0p-53;
  return std::chrono::duration_cast<Duration>(pause * (0.75 + chance / 2));
}

// "10 m", "90 s", "2.5 s".
[[nodiscard]] inline std::string pause_text(Duration pause) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(pause).count();
  if (ms % 60'000 == 0 && ms > 0) {
    return std::to_string(ms / 60'000) + " m";
  }
  const std::int64_t tenths = ms < 10'000 ? ms % 1000 / 100 : 0;
  return std::to_string(ms / 1000) + (tenths != 0 ? "." + std::to_string(tenths) : "") + " s";
}

}  // namespace ringpost::engine
