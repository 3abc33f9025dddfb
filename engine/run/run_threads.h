// A run on threads: jobs are read where the caller wants it and on threads beside, outcomes are
// told on the engine's threads for them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
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

  // On this thread and, where the source has several readers, on one more for each of the others,
  // until the source ends, the engine was aborted, or `goes_on`, which is asked before each job,
  // says no. Several readers come to the end of what they have in hand then, so that what stays
  // unread is in one piece. Nothing is read afterwards.
  void read(const std::function<bool()>& goes_on);
  // What threads that read have allocated: of EngineOptions::count_allocations, behind read().
  [[nodiscard]] std::uint64_t reader_allocations() const { return reader_allocations_.load(); }

  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] Run& run() { return *run_; }

 private:
  RunThreads() = default;
  void read_as(std::size_t reader, const std::function<bool()>& goes_on);
  [[nodiscard]] bool comes_to_its_end(std::size_t reader) const;

  std::unique_ptr<Engine> engine_;
  std::optional<Run> run_;
  JobSource* source_ = nullptr;
  std::atomic<std::uint64_t> reader_allocations_{0};
};

// Calls run.deliver() until all of the group was told, and waits in between while there is no room.
void deliver_all(Run& run, std::size_t group = 0);

}  // namespace ringpost::run
