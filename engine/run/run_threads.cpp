// Problem: a run that is stepped never waits, and threads have to.
//
// Idea: each of the two threads waits in one place. The reader waits in the pool, for a job to
// fill; the outcome thread waits between two tries to write, so that everything else waits behind
// it.
//
// Limits: one reader and one outcome thread.
#include "engine/run/run_threads.h"

#include <chrono>
#include <thread>

#include "engine/engine_inside.h"

namespace ringpost::run {

namespace {

// How often a write is tried again for which there was no room.
constexpr auto room_look_every = std::chrono::milliseconds(100);

}  // namespace

Result<std::unique_ptr<RunThreads>, EngineError> RunThreads::start(EngineOptions options,
                                                                   const RunParts& parts) {
  const Duration deadline = options.deadline;
  std::unique_ptr<RunThreads> threads(new RunThreads);
  // Nobody has an outcome before the first job is read, and that is behind all this.
  auto engine = engine::EngineInside::start(
      std::move(options),
      [threads = threads.get()](engine::EngineCore&) { deliver_all(*threads->run_); });
  if (!engine) {
    return Failure(std::move(engine.error()));
  }
  threads->engine_ = std::move(*engine);
  Engine& started = *threads->engine_;
  engine::EngineCore& core = engine::EngineInside::core(started);
  const Instant now = core.now();
  threads->run_.emplace(
      core, parts,
      Run::Options{.wake = [&started] { engine::EngineInside::wake_parked(started); },
                   .deadline = deadline < never - now ? now + deadline : never});
  return threads;
}

RunThreads::~RunThreads() {
  if (run_) {
    run_->end_reading();
  }
  engine_.reset();  // which tells the last outcomes
}

void RunThreads::read(const std::function<bool()>& goes_on) {
  while (goes_on()) {
    switch (run_->read()) {
      case Run::Read::taken:
      case Run::Read::trouble:
        break;
      case Run::Read::no_room:
        if (Consignment* const next = engine::EngineInside::core(*engine_).pool().acquire()) {
          run_->take_over(*next);
          break;
        }
        run_->end_reading();
        return;
      case Run::Read::end:
      case Run::Read::failed:
        return;
    }
  }
  run_->end_reading();
}

void deliver_all(Run& run) {
  while (run.deliver() == Run::Told::again_later) {
    std::this_thread::sleep_for(room_look_every);
  }
}

}  // namespace ringpost::run
