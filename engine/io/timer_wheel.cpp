// The problem: each reply moves a deadline, so that nearly all entries of an ordered structure
// would be moved in vain. The idea: an entry stays in its slot when the deadline moves away, or
// ends, and is looked at when the slot comes up. Limits: next() may name a tick at which nothing is
// due; a round has 512 ticks of 50 ms, so deadlines further away come up, and are put off, every 26
// s or so.
#include "engine/io/timer_wheel.h"

#include <algorithm>

namespace ringpost::io {

TimerWheel::TimerWheel(Instant start) : start_(start), slots_(slot_count) {}

std::int64_t TimerWheel::tick_of(Instant instant) const {
  // Rounded up, so that nothing comes up before its time.
  return (instant - start_ + tick - Duration(1)) / tick;
}

void TimerWheel::set(std::uint32_t owner, Instant deadline) {
  if (owner >= owners_.size()) {
    owners_.resize(owner + 1);
  }
  Owner& entry = owners_[owner];
  entry.deadline = deadline;
  if (deadline == never) {
    return;  // its entry, if any, is dropped when it comes up
  }
  if (entry.entry_tick < 0 || tick_of(deadline) < entry.entry_tick) {
    insert(owner);
  }
}

void TimerWheel::insert(std::uint32_t owner) {
  Owner& entry = owners_[owner];
  if (entry.entry_tick >= 0) {
    auto& slot = slots_[static_cast<std::size_t>(entry.entry_tick) % slot_count];
    std::erase(slot, owner);
    --entries_;
  }
  // Deadlines beyond the wheel's round stand in its last slot and are put further when it comes up.
  const std::int64_t furthest = current_tick_ + static_cast<std::int64_t>(slot_count) - 1;
  entry.entry_tick = std::clamp(tick_of(entry.deadline), current_tick_, furthest);
  slots_[static_cast<std::size_t>(entry.entry_tick) % slot_count].push_back(owner);
  ++entries_;
}

void TimerWheel::expire(Instant now, std::vector<std::uint32_t>& due) {
  const std::int64_t now_tick = (now - start_) / tick;
  if (entries_ == 0) {
    current_tick_ = std::max(current_tick_, now_tick);
    return;
  }
  while (current_tick_ <= now_tick) {
    std::vector<std::uint32_t> slot;
    slot.swap(slots_[static_cast<std::size_t>(current_tick_) % slot_count]);
    ++current_tick_;
    entries_ -= slot.size();
    for (const std::uint32_t owner : slot) {
      Owner& entry = owners_[owner];
      entry.entry_tick = -1;
      if (entry.deadline == never) {
        continue;
      }
      if (entry.deadline <= now) {
        entry.deadline = never;
        due.push_back(owner);
      } else {
        insert(owner);
      }
    }
  }
}

Instant TimerWheel::next() const {
  if (entries_ == 0) {
    return never;
  }
  for (std::int64_t at = current_tick_;; ++at) {
    if (!slots_[static_cast<std::size_t>(at) % slot_count].empty()) {
      return start_ + at * tick;
    }
    RP_ASSERT(at < current_tick_ + static_cast<std::int64_t>(slot_count));
  }
}

}  // namespace ringpost::io
