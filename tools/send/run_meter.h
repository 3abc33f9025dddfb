// How far a run has come, how fast it is, and how long it will take.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "tools/send/run_report.h"

namespace ringpost::cli {

// Thread: one.
class RunMeter {
 public:
  // `counted`: jobs of the run, where somebody has counted them.
  void look(RunFacts& facts, std::uint64_t messages_done, std::optional<std::uint64_t> counted);

 private:
  struct Sample {
    double seconds = 0;
    std::uint64_t done = 0;
    std::uint64_t accepted = 0;
  };
  std::deque<Sample> samples_;  // of the last seconds, the oldest first
};

}  // namespace ringpost::cli
