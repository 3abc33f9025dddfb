// What is left to do of a job: whoever knows of it from before says so.
#pragma once

#include <cstdint>

#include "codec/job/job.h"
#include "engine/run/run_trouble.h"
#include <ringpost/base.h>

namespace ringpost::run {

// Thread: that which reads.
class Planner {
 public:
  enum class Plan : std::uint8_t {
    send,  // to whom is left; outcomes that are known by now are in the job
    skip,  // everybody has a final outcome
  };

  virtual ~Planner() = default;

  // Of a job that was just read, whether it can be sent or not. An error ends the reading.
  [[nodiscard]] virtual Result<Plan, RunTrouble> plan(Job& job, std::int64_t now_us) = 0;
};

}  // namespace ringpost::run
