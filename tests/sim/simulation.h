// All lives of one seed, and the verdict on them.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <ringpost/outcome.h>

namespace ringpost::sim {

// What has happened in all seeds together: one in which nothing happens proves nothing.
struct Tally {
  std::array<std::uint64_t, status_count> told{};
  std::uint64_t seeds = 0;
  std::uint64_t kills = 0;
  std::uint64_t power_cuts = 0;
  std::uint64_t resumes = 0;        // of a journal in which somebody was in flight or put off
  std::uint64_t disks_full = 0;     // writes without room
  std::uint64_t disk_failures = 0;  // writes and syncs that failed for good
  std::uint64_t copies = 0;         // messages that servers have more than once, as they may
  std::uint64_t connections = 0;
  std::uint64_t messages = 0;  // that servers took

  void add(const Tally& other);
};

struct SeedResult {
  std::string broken;       // what breaks the promise; empty: it is kept
  std::string plan;         // for people
  std::uint64_t trace = 0;  // a hash of everything that was said and done
  Tally tally;
};

// Runs in `folder`, which keeps the files of the last seed. The same seed does the same again.
[[nodiscard]] SeedResult run_seed(std::uint64_t seed, const std::string& folder);

}  // namespace ringpost::sim
