// A heap is enough: a delivery comes out when it is due, or with all others when nothing is sent
// any more, and nobody looks for a certain one. Limits: those that are due at the same time come in
// any order.
#include "queue/retry_schedule.h"

#include <algorithm>

namespace ringpost::queue {

void RetrySchedule::add(Delivery& delivery, Instant due) {
  waiting_.push_back({due, &delivery});
  std::push_heap(waiting_.begin(), waiting_.end(),
                 [](const Waiting& a, const Waiting& b) { return a.due > b.due; });
}

Instant RetrySchedule::next_due() const { return waiting_.empty() ? never : waiting_.front().due; }

Delivery* RetrySchedule::take_due(Instant now) {
  if (waiting_.empty() || waiting_.front().due > now) {
    return nullptr;
  }
  std::pop_heap(waiting_.begin(), waiting_.end(),
                [](const Waiting& a, const Waiting& b) { return a.due > b.due; });
  Delivery* const delivery = waiting_.back().delivery;
  waiting_.pop_back();
  return delivery;
}

std::vector<Delivery*> RetrySchedule::take_out(bool (*is_wanted)(const Delivery&)) {
  std::vector<Delivery*> taken;
  std::erase_if(waiting_, [&](const Waiting& one) {
    const bool is_taken = is_wanted(*one.delivery);
    if (is_taken) {
      taken.push_back(one.delivery);
    }
    return is_taken;
  });
  std::make_heap(waiting_.begin(), waiting_.end(),
                 [](const Waiting& a, const Waiting& b) { return a.due > b.due; });
  return taken;
}

}  // namespace ringpost::queue
