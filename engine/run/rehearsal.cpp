// Problem: a dry run has to read, judge and write as the real one does, or it proves nothing.
//
// Idea: it is the same run, around an engine that has no endpoint and no worker, by a planner that
// leaves nothing to send.
//
// Limits: outcomes are told when the room for jobs is used up, before the source may wait, and at
// the end, all on one thread.
#include "engine/run/rehearsal.h"

#include <chrono>

#include "engine/run/run_threads.h"

namespace ringpost::run {

namespace {

using Clock = std::chrono::steady_clock;

// Of jobs that are read between two batches of outcomes.
constexpr std::size_t jobs_max = 256;

engine::EngineCore::Parts clocks() {
  engine::EngineCore::Parts parts;
  parts.wake = [] {};
  parts.clock = Clock::now;
  parts.unix_time_us = [] {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
  };
  return parts;
}

}  // namespace

Rehearsal::Rehearsal(const RehearsalParts& parts, Duration deadline)
    : source_(parts.source),
      planner_(parts.planner),
      core_(EngineOptions{}, clocks(),
            {.deliveries_active_max = jobs_max, .deliveries_per_push_max = 1}),
      run_(core_,
           {.source = parts.source,
            .planner = &planner_,
            .filter = parts.filter,
            .sink = parts.sink,
            .listener = parts.listener},
           {.wake = [] {},
            .deadline = deadline < never - Clock::now() ? Clock::now() + deadline : never}) {}

void Rehearsal::read(const std::function<bool()>& goes_on) {
  while (!run_.reading_ended() && goes_on()) {
    if (run_.read() == Run::Read::no_room || source_.may_wait(0)) {
      deliver_all(run_);
    }
  }
  run_.end_reading();
  deliver_all(run_);
}

}  // namespace ringpost::run
