// The outcome lines of a program that runs for good.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/job/outcome_writer.h"
#include "engine/run/outcome_file.h"
#include "tools/process/log.h"
#include <ringpost/base.h>
#include <ringpost/message.h>
#include <ringpost/outcome.h>

namespace ringpost::serve {

// The lines of `send`, in a file that they are added to. What cannot be written stays in memory and
// is tried again with each write(); what waits there is bounded by whoever stops taking messages
// while is_stuck(). Any thread.
class OutcomeLog {
 public:
  // Names outlive it. Without a path nothing is written. The error is a sentence: the file cannot
  // be opened, or holds something else than outcome lines.
  [[nodiscard]] static Result<std::unique_ptr<OutcomeLog>, std::string> open(
      const std::string& path, std::span<const std::string> endpoint_names, cli::Log& log);
  // Appends the line of one recipient, which is nowhere yet.
  void append(std::string& lines, const Message& message, std::size_t recipient_index,
              const Outcome& outcome);
  // Whole lines, for the next write().
  void add(Bytes lines);
  // Writes what was added; says once that it cannot, and once that it can again.
  void write();
  // All lines so far are written, and on the disk, when this returns true.
  [[nodiscard]] bool sync();
  // The file of that name is opened anew, for whoever has moved it away to rotate it. Where it
  // cannot be, the old one is written to as before.
  void reopen();
  // Some lines could not be written.
  [[nodiscard]] bool is_stuck() const { return is_stuck_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t unwritten_lines() const;

 private:
  OutcomeLog(std::string path, std::span<const std::string> endpoint_names, cli::Log& log);
  void write_under_lock();

  const std::string path_;  // empty: there is none
  cli::Log& log_;
  mutable std::mutex mutex_;  // guards the two below
  codec::OutcomeWriter writer_;
  std::optional<run::OutcomeFile> file_;
  std::atomic<bool> is_stuck_{false};
};

}  // namespace ringpost::serve
