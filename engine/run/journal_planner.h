// What a resume sends of a message, and what it says of whom an earlier run left in doubt.
#pragma once

#include <vector>

#include "engine/run/planner.h"
#include "queue/journal_history.h"
#include <ringpost/base.h>

namespace ringpost::run {

struct JournalPlannerOptions {
  bool resend_unknown = false;  // who may have it gets it again
};

// By ordinal, which the message has, and the hash of its line, which must be the one that is known.
// The history outlives it.
class JournalPlanner : public Planner {
 public:
  JournalPlanner(const queue::JournalHistory& history, JournalPlannerOptions options)
      : history_(history), options_(options) {}

  [[nodiscard]] Result<Plan, RunTrouble> plan(const Message& message,
                                              std::vector<PriorFate>& fates) override;

 private:
  [[nodiscard]] PriorFate fate_of(const queue::JobHistory& history, std::size_t recipient) const;

  const queue::JournalHistory& history_;
  const JournalPlannerOptions options_;
};

}  // namespace ringpost::run
