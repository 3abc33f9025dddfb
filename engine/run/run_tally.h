// What became of a run so far, by status and by what servers said.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::run {

// Outcomes that read alike: the same status and stage, and the same words but for their numbers.
// Its words are those of the first of them, as they were, and so is the id of its job.
struct ReplyGroup {
  Status status = Status::unsent;
  Stage stage = Stage::local;
  std::string words;
  std::string id;
  std::uint64_t count = 0;
};

// Outcome threads count, each those of its group; any thread reads.
class RunTally {
 public:
  explicit RunTally(std::size_t group_count = 1) : counts_(group_count) {}

  // `number` of the group, `id` of the job.
  void count(const Outcome& outcome, std::size_t number = 0, Bytes id = {});

  [[nodiscard]] std::uint64_t of(Status status) const;
  [[nodiscard]] std::uint64_t total() const;
  // What became of recipients by way of the endpoint with this index.
  [[nodiscard]] std::uint64_t of_endpoint(std::size_t endpoint, Status status) const;
  // Recipients that the endpoint with this index left unsent, or that ran out of time there.
  [[nodiscard]] std::uint64_t left_by(std::size_t endpoint) const;
  // Whether another one has accepted any.
  [[nodiscard]] bool another_accepts(std::size_t endpoint) const;
  // The most frequent groups of what was not accepted, the most frequent first.
  [[nodiscard]] std::vector<ReplyGroup> groups(std::size_t most) const;

 private:
  // Told apart up to this many; those beyond count as one.
  static constexpr std::size_t endpoints_max = 64;

  // On cache lines of its own, since only one thread writes.
  struct alignas(64) Counts {
    std::array<std::array<std::atomic<std::uint64_t>, status_count>, endpoints_max> of{};
  };

  std::vector<Counts> counts_;                 // by group
  mutable std::mutex mutex_;                   // guards all below
  std::map<std::size_t, std::uint64_t> left_;  // by endpoint
  std::map<std::string, ReplyGroup> groups_;   // by what they have in common
};

}  // namespace ringpost::run
