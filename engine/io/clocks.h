// The two readings that an Io makes a turn.
#pragma once

#include <cstdint>

#include <ringpost/base.h>

namespace ringpost::io {

struct Clocks {
  Instant now{};
  std::int64_t unix_time_us = 0;

  void read();
};

}  // namespace ringpost::io
