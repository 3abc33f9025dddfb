// How long something took, counted by one thread and read by any.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/stats.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::engine {

// Log-linear, as HdrHistogram's: exact below 64 microseconds, and from there on 32 buckets for each
// doubling, so that a percentile is at most 1.6 % off. Own, because HdrHistogram_c has to lock the
// bus where another thread shall read while one counts. Longer than an hour counts as 2^32
// microseconds.
class TimeHistogram {
 public:
  static constexpr std::size_t buckets_per_doubling = 32;
  static constexpr std::size_t bucket_count = 28 * buckets_per_doubling;

  // The one thread that counts.
  void note(Duration taken) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(taken).count();
    buckets_[bucket_of(us < 0 ? 0 : static_cast<std::uint64_t>(us))].add(1);
  }
  [[nodiscard]] std::uint64_t count_in(std::size_t bucket) const { return buckets_[bucket].get(); }

  [[nodiscard]] static std::size_t bucket_of(std::uint64_t us) {
    constexpr std::uint64_t most = UINT32_MAX;
    us = us > most ? most : us;
    const auto width = static_cast<std::size_t>(std::bit_width(us));
    const std::size_t doublings = width > 6 ? width - 6 : 0;
    return doublings * buckets_per_doubling + static_cast<std::size_t>(us >> doublings);
  }
  // What stands for a bucket: the middle of it.
  [[nodiscard]] static Duration middle_of(std::size_t bucket);

 private:
  std::array<Counter, bucket_count> buckets_;
};

// Of several histograms together, as far as they have come.
class TimeSum {
 public:
  void add(const TimeHistogram& histogram);
  [[nodiscard]] TimeSpread spread() const;

 private:
  [[nodiscard]] Duration at_share(double share) const;
  void add_up(TimeSpread& spread) const;

  std::array<std::uint64_t, TimeHistogram::bucket_count> counts_{};
  std::uint64_t count_ = 0;
};

}  // namespace ringpost::engine
