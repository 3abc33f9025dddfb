#include "queue/retry_schedule.h"

#include <algorithm>

namespace ringpost::queue {

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
