// How many messages a second may be handed to one endpoint, by all workers together.
#pragma once

#include <atomic>
#include <cstdint>

#include <ringpost/base.h>

namespace ringpost::engine {

// A token bucket kept as one number, the time at which the bucket would be full again. Thread-safe
// without locks.
class RateLimit {
 public:
  // 0: no limit. The bucket holds what a twentieth of a second yields, and at least one message.
  explicit RateLimit(double messages_per_second);

  [[nodiscard]] bool unlimited() const { return interval_ns_ == 0; }
  // Takes one message's worth, if it is there.
  [[nodiscard]] bool take(Instant now);
  // When take() may say yes again.
  [[nodiscard]] Instant next() const;

 private:
  std::int64_t interval_ns_ = 0;
  std::int64_t burst_ns_ = 0;
  std::atomic<std::int64_t> full_at_ns_{0};
};

}  // namespace ringpost::engine
