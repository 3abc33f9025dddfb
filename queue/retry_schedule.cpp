#include "queue/retry_schedule.h"

#include <algorithm>
#include <functional>

#include "codec/limits.h"

namespace ringpost::queue {

namespace {

constexpr std::uint32_t growth = 4;

// Between 0 and 1, well spread for salts that are alike.
double chance_of(std::string_view salt, std::uint32_t attempts_made) {
  std::uint64_t bits = std::hash<std::string_view>{}(salt) + attempts_made;
  bits = (bits ^ (bits >> 33)) * 0xff51afd7ed558ccdull;
  bits = (bits ^ (bits >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return static_cast<double>((bits ^ (bits >> 33)) >> 11) * 0x1.0p-53;
}

}  // namespace

Duration retry_pause(Duration first, std::uint32_t attempts_made, std::string_view salt) {
  RP_ASSERT(attempts_made > 0);
  Duration pause = std::min<Duration>(first, limits::retry_pause_max);
  for (std::uint32_t i = 1; i < attempts_made && pause < limits::retry_pause_max; ++i) {
    pause = std::min<Duration>(pause * growth, limits::retry_pause_max);
  }
  const double share = 0.75 + chance_of(salt, attempts_made) / 2;
  return std::chrono::duration_cast<Duration>(pause * share);
}

void RetrySchedule::add(Job& job, Instant due) {
  waiting_.push_back({due, &job});
  std::push_heap(waiting_.begin(), waiting_.end(),
                 [](const Waiting& a, const Waiting& b) { return a.due > b.due; });
}

Instant RetrySchedule::next_due() const { return waiting_.empty() ? never : waiting_.front().due; }

Job* RetrySchedule::take_due(Instant now) {
  if (waiting_.empty() || waiting_.front().due > now) {
    return nullptr;
  }
  std::pop_heap(waiting_.begin(), waiting_.end(),
                [](const Waiting& a, const Waiting& b) { return a.due > b.due; });
  Job* const job = waiting_.back().job;
  waiting_.pop_back();
  return job;
}

}  // namespace ringpost::queue
