// The problem: the slowest replies are what people ask for, and a mean hides them; each of a
// hundred million is to be counted at the price of an addition. The idea: buckets whose width grows
// with what they hold, one counter each, added up only when somebody asks. Limits: percentiles are
// the middle of a bucket, and a histogram has 7 KB.
#include "engine/time_histogram.h"

#include <cmath>

namespace ringpost::engine {

Duration TimeHistogram::middle_of(std::size_t bucket) {
  const std::size_t doublings =
      bucket < 2 * buckets_per_doubling ? 0 : bucket / buckets_per_doubling - 1;
  const std::uint64_t low = std::uint64_t{bucket - doublings * buckets_per_doubling} << doublings;
  const std::uint64_t width = std::uint64_t{1} << doublings;
  return std::chrono::microseconds(low + width / 2);
}

void TimeSum::add(const TimeHistogram& histogram) {
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const std::uint64_t count = histogram.count_in(i);
    counts_[i] += count;
    count_ += count;
  }
}

TimeSpread TimeSum::spread() const {
  if (count_ == 0) {
    return {};
  }
  TimeSpread spread{.count = count_,
                    .p50 = at_share(0.5),
                    .p90 = at_share(0.9),
                    .p99 = at_share(0.99),
                    .p999 = at_share(0.999),
                    .max = at_share(1)};
  add_up(spread);
  return spread;
}

void TimeSum::add_up(TimeSpread& spread) const {
  std::size_t bound = 0;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const Duration middle = TimeHistogram::middle_of(i);
    for (; bound < time_bounds.size() && middle > time_bounds[bound]; ++bound) {
      spread.within[bound] = seen;
    }
    seen += counts_[i];
    spread.sum += middle * static_cast<std::int64_t>(counts_[i]);
  }
  for (; bound < time_bounds.size(); ++bound) {
    spread.within[bound] = seen;
  }
}

// The least time that so large a share of all has not exceeded.
Duration TimeSum::at_share(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted && seen > 0) {
      return TimeHistogram::middle_of(i);
    }
  }
  return {};
}

}  // namespace ringpost::engine
