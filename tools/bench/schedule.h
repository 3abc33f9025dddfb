// When each message of an open loop is due.
#pragma once

#include <cstdint>

#include <ringpost/base.h>

namespace ringpost::cli {

// At a rate, evenly: what is due does not depend on what the server does. Latency that is counted
// from there holds the time in which a message could not even be begun, which a loop that waits for
// its answers leaves out ("coordinated omission").
class Schedule {
 public:
  Schedule(Instant start, double messages_per_second)
      : start_(start), per_second_(messages_per_second) {}

  [[nodiscard]] Instant due_at(std::uint64_t number) const;
  // That are due before so long has passed.
  [[nodiscard]] std::uint64_t count_within(Duration time) const;

 private:
  Instant start_;
  double per_second_;
};

}  // namespace ringpost::cli
