// What became of a run so far, by status and by what servers said.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "codec/outcome.h"

namespace ringpost::cli {

// Outcomes that read alike: the same status and stage, and the same words but for their numbers.
// Its words are those of the first of them.
struct ReplyGroup {
  Status status = Status::unsent;
  Stage stage = Stage::local;
  std::string words;
  std::uint64_t count = 0;
};

// The outcome thread counts; any thread reads.
class RunTally {
 public:
  void count(const Outcome& outcome);

  [[nodiscard]] std::uint64_t of(Status status) const {
    return counts_[static_cast<std::size_t>(status)].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t total() const;
  // The most frequent groups of what was not accepted, the most frequent first.
  [[nodiscard]] std::vector<ReplyGroup> groups(std::size_t most) const;

 private:
  std::array<std::atomic<std::uint64_t>, status_count> counts_{};
  mutable std::mutex mutex_;  // guards groups_
  std::map<std::string, ReplyGroup> groups_;
};

}  // namespace ringpost::cli
