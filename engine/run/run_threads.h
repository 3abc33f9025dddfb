// A run on threads: jobs are read where the caller wants it, outcomes are told on the engine's
// thread for them.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "engine/run/run.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::run {

// Thread: start(), read() and the destructor are one thread's; the others are any's. Destruction
// without drain() aborts, as an engine's.
class RunThreads {
 public:
  // Starts the engine. The deadline of its options is that of waiting for room, too.
  [[nodiscard]] static Result<std::unique_ptr<RunThreads>, EngineError> start(
      EngineOptions options, const RunParts& parts);
  ~RunThreads();
  RunThreads(const RunThreads&) = delete;
  RunThreads& operator=(const RunThreads&) = delete;

  // On this thread, until the source ends, the engine was aborted, or `goes_on`, which is asked
  // before each job, says no. Nothing is read afterwards.
  void read(const std::function<bool()>& goes_on);

  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] Run& run() { return *run_; }

 private:
  RunThreads() = default;

  std::unique_ptr<Engine> engine_;
  std::optional<Run> run_;
};

// Calls run.deliver() until all was told, and waits in between while there is no room.
void deliver_all(Run& run);

}  // namespace ringpost::run
