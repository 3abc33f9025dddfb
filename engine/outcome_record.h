// Writes outcomes: the one place that sets an outcome's status. What is written was decided by
// attempt_policy, or beforehand by whoever has a verdict and no attempt.
#pragma once

#include <cstdint>

#include "engine/attempt_policy.h"
#include "engine/protocol/verdict.h"
#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::engine {

// Where and when a fate was decided.
struct Circumstances {
  std::uint32_t endpoint = 0;
  std::int64_t now_us = 0;  // Unix time
  Bytes peer;               // empty: no server
  Instant now{};
  Instant submitted_at{};
  Instant started_at{};  // nothing: no session ever had it
};

// What the decision writes, and nothing else. An attempt that counts is counted.
void record(Outcome& outcome, const protocol::Verdict& verdict, const Decision& decision,
            const Circumstances& at);

// Decided outside of the engine's endpoints: what the outcome said before is gone.
void record_local(Outcome& outcome, const protocol::Verdict& verdict, std::int64_t now_us);

// An earlier run has told this outcome: its word is all that is known of it.
void record_told(Outcome& outcome, Status status);

}  // namespace ringpost::engine
