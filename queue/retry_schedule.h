// Deliveries that wait for another attempt, by the time at which it is due.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/job/delivery.h"
#include <ringpost/base.h>

namespace ringpost::queue {

// Thread: its worker's. Bounded by whoever adds: a delivery in here is one of the MessagePool's.
class RetrySchedule {
 public:
  void add(Delivery& delivery, Instant due);
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  // `never` when it is empty.
  [[nodiscard]] Instant next_due() const;
  // One that is due by `now`, taken out; null when there is none. `never` takes them all.
  [[nodiscard]] Delivery* take_due(Instant now);
  // All of which that is so, whenever they are due.
  [[nodiscard]] std::vector<Delivery*> take_out(bool (*is_wanted)(const Delivery&));

 private:
  struct Waiting {
    Instant due;
    Delivery* delivery;
  };

  std::vector<Waiting> waiting_;  // a heap: the earliest in front
};

}  // namespace ringpost::queue
