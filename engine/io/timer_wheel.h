// Deadlines of many connections, most of which are moved before they come.
#pragma once

#include <cstdint>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::io {

// A hashed wheel of owners. It keeps one entry an owner at most and only looks at the real deadline
// when the entry comes up: moving a deadline further away, which happens at every reply, costs a
// comparison. Deadlines come up to one tick late. Thread: one worker's.
class TimerWheel {
 public:
  explicit TimerWheel(Instant start);

  // Sets the deadline of `owner` (a small dense number), `never` to remove it.
  void set(std::uint32_t owner, Instant deadline);
  // Appends every owner whose deadline is not after `now` to `due` and forgets it.
  void expire(Instant now, std::vector<std::uint32_t>& due);
  // When expire() should be called next: a tick with something in it, or never.
  [[nodiscard]] Instant next() const;

 private:
  static constexpr std::size_t slot_count = 512;
  static constexpr Duration tick = std::chrono::milliseconds(50);

  struct Owner {
    Instant deadline = never;
    std::int64_t entry_tick = -1;  // the slot its entry stands in, -1: none
  };

  [[nodiscard]] std::int64_t tick_of(Instant instant) const;
  void insert(std::uint32_t owner);

  Instant start_;
  std::int64_t current_tick_ = 0;  // every tick before it has been looked at
  std::size_t entries_ = 0;
  std::vector<Owner> owners_;
  std::vector<std::vector<std::uint32_t>> slots_;
};

}  // namespace ringpost::io
