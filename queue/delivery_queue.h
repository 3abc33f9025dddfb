// Deliveries on their way from whoever reads them to whichever worker has room.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "codec/job/delivery.h"

namespace ringpost::queue {

// Any number of producers and consumers, without locks; in order for each producer. Bounded by the
// MessagePool that the deliveries come from, so it never refuses one. Producers and Consumers are
// used by one thread each and do not outlive the queue.
class DeliveryQueue {
 public:
  class Producer {
   public:
    explicit Producer(DeliveryQueue& queue);
    ~Producer();
    void push(std::span<Delivery* const> deliveries);

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

  class Consumer {
   public:
    explicit Consumer(DeliveryQueue& queue);
    ~Consumer();
    // Fills the front of `deliveries` with what is there and returns how many.
    [[nodiscard]] std::size_t take(std::span<Delivery*> deliveries);

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

  DeliveryQueue();
  ~DeliveryQueue();
  DeliveryQueue(const DeliveryQueue&) = delete;
  DeliveryQueue& operator=(const DeliveryQueue&) = delete;

  // Whether there seems to be something to take. Exact when nobody pushes or takes at the same
  // time.
  [[nodiscard]] bool empty() const { return size() == 0; }
  // About.
  [[nodiscard]] std::size_t size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringpost::queue
