// A run of which nothing is sent: jobs are read, checked and told of as `unsent`.
#pragma once

#include <functional>
#include <vector>

#include "engine/engine_core.h"
#include "engine/run/planner.h"
#include "engine/run/run.h"
#include <ringpost/base.h>

namespace ringpost::run {

// Everybody is decided before he is sent to.
class RehearsalPlanner : public Planner {
 public:
  explicit RehearsalPlanner(Planner* inner = nullptr) : inner_(inner) {}

  [[nodiscard]] Result<Plan, RunTrouble> plan(const Message& message,
                                              std::vector<PriorFate>& fates) override {
    if (inner_ != nullptr) {
      auto planned = inner_->plan(message, fates);
      if (!planned || *planned == Plan::skip) {
        return planned;
      }
    }
    return Plan::rehearse;
  }

 private:
  Planner* inner_;
};

struct RehearsalParts {
  JobSource& source;
  Planner* planner = nullptr;  // null: nobody is known from before
  RecipientFilter* filter = nullptr;
  OutcomeSink& sink;
  RunListener& listener;
};

// Thread: one, but for what is any's of a Run.
class Rehearsal {
 public:
  // `deadline`: from now on, for waiting for room.
  Rehearsal(const RehearsalParts& parts, Duration deadline);

  // Until the source ends, or `goes_on`, which is asked before each job, says no. All that was read
  // is told of.
  void read(const std::function<bool()>& goes_on);
  [[nodiscard]] Run& run() { return run_; }

 private:
  JobSource& source_;
  RehearsalPlanner planner_;
  engine::EngineCore core_;
  Run run_;
};

}  // namespace ringpost::run
