// The problem and the idea are those of engine/time_histogram, without its atomics. Limits: four
// thousand million in one bucket.
#include "tools/report/time_counts.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/time_histogram.h"
#include <ringpost/base.h>

namespace ringpost::cli {

void TimeCounts::note(double ms) {
  constexpr double longest_ms = 3'600'000;
  const auto us = static_cast<std::uint64_t>(std::min(ms, longest_ms) * 1000);
  const std::size_t bucket = engine::TimeHistogram::bucket_of(us);
  buckets_.resize(std::max(buckets_.size(), bucket + 1));
  ++buckets_[bucket];
  ++count_;
}

void TimeCounts::add(const TimeCounts& other) {
  buckets_.resize(std::max(buckets_.size(), other.buckets_.size()));
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) {
    buckets_[i] += other.buckets_[i];
  }
  count_ += other.count_;
}

double TimeCounts::at_share(double share) const {
  RP_ASSERT(count_ > 0);
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= std::max<std::uint64_t>(wanted, 1)) {
      const Duration middle = engine::TimeHistogram::middle_of(bucket);
      return std::chrono::duration<double, std::milli>(middle).count();
    }
  }
  RP_ASSERT(false);
}

}  // namespace ringpost::cli
