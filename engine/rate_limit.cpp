// The problem: all workers share one rate, and would take a lock for every message. The idea: the
// time at which the bucket is full says all of it; taking a message moves that time by one
// interval, with a compare-and-swap. Limits: nobody queues, so workers that ask at the same time
// have no turns.
#include "engine/rate_limit.h"

#include <algorithm>

namespace ringpost::engine {

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

std::int64_t nanoseconds_of(Instant instant) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(instant.time_since_epoch()).count();
}

}  // namespace

RateLimit::RateLimit(double messages_per_second) {
  if (messages_per_second > 0) {
    // At most a century, so that sums of times cannot overflow.
    constexpr double longest_ns = 100.0 * 365 * 86'400 * second_ns;
    const double interval_ns = static_cast<double>(second_ns) / messages_per_second;
    interval_ns_ = static_cast<std::int64_t>(std::clamp(interval_ns, 1.0, longest_ns));
    burst_ns_ = std::max(interval_ns_, second_ns / 20);
  }
}

bool RateLimit::take(Instant now) {
  if (unlimited()) {
    return true;
  }
  const std::int64_t now_ns = nanoseconds_of(now);
  std::int64_t full_at = full_at_ns_.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t taken = std::max(full_at, now_ns) + interval_ns_;
    if (taken - now_ns > burst_ns_) {
      return false;
    }
    if (full_at_ns_.compare_exchange_weak(full_at, taken, std::memory_order_relaxed)) {
      return true;
    }
  }
}

Instant RateLimit::next() const {
  const std::int64_t at = full_at_ns_.load(std::memory_order_relaxed) + interval_ns_ - burst_ns_;
  return Instant(std::chrono::nanoseconds(at));
}

}  // namespace ringpost::engine
