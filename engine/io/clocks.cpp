// Trivial: monotonic time for deadlines, and the date for outcome lines.
#include "engine/io/clocks.h"

#include <ctime>

namespace ringpost::io {

void Clocks::read() {
  now = std::chrono::steady_clock::now();
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  unix_time_us = std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
}

}  // namespace ringpost::io
