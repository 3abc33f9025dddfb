// Counts in a ring of bins, each emptied when its place is wanted for another millisecond.
#include "engine/rate_history.h"

#include <algorithm>

namespace ringpost::engine {

namespace {

std::int64_t bin_of(Instant at) { return at.time_since_epoch() / RateHistory::resolution; }

constexpr auto bin_count = static_cast<std::int64_t>(RateHistory::bins);

std::size_t place_of(std::int64_t bin) { return static_cast<std::size_t>(bin) % RateHistory::bins; }

}  // namespace

void RateHistory::add(Instant at, std::uint64_t units) {
  const std::int64_t bin = bin_of(at);
  if (bin + bin_count <= newest_) {
    return;
  }
  for (std::int64_t next = std::max(newest_ + 1, bin - bin_count + 1); next <= bin; ++next) {
    counts_[place_of(next)] = 0;
  }
  newest_ = std::max(newest_, bin);
  counts_[place_of(bin)] += static_cast<std::uint32_t>(std::min<std::uint64_t>(units, 1u << 20));
}

std::uint64_t RateHistory::sum(Instant begin, Instant end) const {
  const std::int64_t first = std::max(bin_of(begin) + 1, newest_ - bin_count + 1);
  const std::int64_t last = std::min(bin_of(end), newest_);
  std::uint64_t units = 0;
  for (std::int64_t bin = std::max<std::int64_t>(first, 0); bin <= last; ++bin) {
    units += counts_[place_of(bin)];
  }
  return units;
}

}  // namespace ringpost::engine
