// How many jobs there are in files, counted while they are read.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/run/line_blocks.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// By reading all of them once more; what cannot be read counts for nothing, and is told when it is
// read. Nothing: `ends` became true. An error names a file that could not be opened.
[[nodiscard]] Result<std::optional<std::uint64_t>, std::string> count_jobs(
    const std::vector<std::string>& files, const run::LineBlocksOptions& options,
    const std::atomic<bool>& ends);

// On a thread of its own, which the destructor ends. Thread: one, but for count().
class JobCounter {
 public:
  JobCounter() = default;
  ~JobCounter();
  JobCounter(const JobCounter&) = delete;
  JobCounter& operator=(const JobCounter&) = delete;

  // Once.
  void start(std::vector<std::string> files, run::LineBlocksOptions options);
  [[nodiscard]] bool is_started() const { return thread_.joinable(); }
  // Nothing: not yet, or they cannot be counted.
  [[nodiscard]] std::optional<std::uint64_t> count() const;

 private:
  static constexpr std::uint64_t unknown = UINT64_MAX;

  std::atomic<bool> ends_{false};
  std::atomic<std::uint64_t> count_{unknown};
  std::thread thread_;
};

}  // namespace ringpost::cli
