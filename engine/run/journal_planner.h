// What a resume sends of a job, and what it says of whom an earlier run left in doubt.
#pragma once

#include <cstdint>

#include "codec/job/job.h"
#include "engine/run/planner.h"
#include "queue/journal_history.h"
#include <ringpost/base.h>

namespace ringpost::run {

struct JournalPlannerOptions {
  bool resend_unknown = false;  // who may have it gets it again
};

// By ordinal, which the job has, and the hash of its line, which must be the one that is known. The
// history outlives it.
class JournalPlanner : public Planner {
 public:
  JournalPlanner(const queue::JournalHistory& history, JournalPlannerOptions options)
      : history_(history), options_(options) {}

  [[nodiscard]] Result<Plan, RunTrouble> plan(Job& job, std::int64_t now_us) override;

 private:
  const queue::JournalHistory& history_;
  const JournalPlannerOptions options_;
};

}  // namespace ringpost::run
