// Problem: a run that is stepped never waits, and threads have to.
//
// Idea: each of the threads waits in one place. A reader waits in the pool, for a job to fill, or
// in the source, without holding anything; an outcome thread waits between two tries to write, so
// that everything else waits behind it.
//
// Limits: as many readers as the source has, from the begin to the end.
#include "engine/run/run_threads.h"

#include <chrono>
#include <thread>
#include <vector>

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
      std::move(options), [threads = threads.get()](engine::EngineCore&, std::size_t group) {
        deliver_all(*threads->run_, group);
      });
  if (!engine) {
    return Failure(std::move(engine.error()));
  }
  threads->engine_ = std::move(*engine);
  Engine& started = *threads->engine_;
  engine::EngineCore& core = engine::EngineInside::core(started);
  threads->source_ = &parts.source;
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
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < run_->reader_count(); ++i) {
    others.emplace_back([this, i, &goes_on] { read_as(i, goes_on); });
  }
  read_as(0, goes_on);
  for (std::thread& other : others) {
    other.join();
  }
}

void RunThreads::read_as(std::size_t reader, const std::function<bool()>& goes_on) {
  engine::EngineCore& core = engine::EngineInside::core(*engine_);
  bool is_over = false;
  // Whoever sees a job that is another one than it was has the others stop, too.
  while (!is_over && !run_->planner_failed() && (goes_on() || comes_to_its_end(reader))) {
    switch (run_->read(reader)) {
      case Run::Read::taken:
      case Run::Read::trouble:
        break;
      case Run::Read::no_room:
        if (Consignment* const next = core.pool().acquire()) {
          run_->take_over(*next, reader);
        } else {
          is_over = true;
        }
        break;
      case Run::Read::end:
      case Run::Read::failed:
        is_over = true;
        break;
    }
  }
  run_->end_reading_of(reader);
  if (const auto count = core.options().count_allocations; count != nullptr) {
    reader_allocations_.fetch_add(count());
  }
}

bool RunThreads::comes_to_its_end(std::size_t reader) const {
  return !run_->failed() && source_->has_in_hand(reader);
}

void deliver_all(Run& run, std::size_t group) {
  while (run.deliver(group) == Run::Told::again_later) {
    std::this_thread::sleep_for(room_look_every);
  }
}

}  // namespace ringpost::run
