// How much happened when, over the last seconds.
#pragma once

#include <array>
#include <cstdint>

#include <ringpost/base.h>

namespace ringpost::engine {

// Counts by the millisecond, in a fixed ring: a limit that is read off a second of them is wrong by
// what a millisecond holds at most.
class RateHistory {
 public:
  static constexpr Duration resolution = std::chrono::milliseconds(1);
  // Eight seconds: a decision looks back over two answers of two seconds each and what was between.
  static constexpr std::size_t bins = 8192;

  // Moments may come in any order; what is older than the ring is passed over.
  void add(Instant at, std::uint64_t units);
  // In (begin, end], to the millisecond.
  [[nodiscard]] std::uint64_t sum(Instant begin, Instant end) const;

 private:
  std::int64_t newest_ = 0;  // number of the latest bin
  std::array<std::uint32_t, bins> counts_{};
};

}  // namespace ringpost::engine
