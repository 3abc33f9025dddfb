// The problem: any thread may submit and any worker may take, in every turn. The idea: moodycamel's
// concurrent queue, with a token for each side, which keeps a producer's order and saves both sides
// a search; the library stays within this file. Limits: it has no bound of its own, and want of
// memory at a push ends the program.
#include "queue/delivery_queue.h"

#include <concurrentqueue.h>

#include "queue/handover.h"

namespace ringpost::queue {

struct DeliveryQueue::State {
  moodycamel::ConcurrentQueue<Delivery*> queue;
};

struct DeliveryQueue::Producer::State {
  explicit State(DeliveryQueue::State& owner) : queue(owner.queue), token(owner.queue) {}
  moodycamel::ConcurrentQueue<Delivery*>& queue;
  moodycamel::ProducerToken token;
};

struct DeliveryQueue::Consumer::State {
  explicit State(DeliveryQueue::State& owner) : queue(owner.queue), token(owner.queue) {}
  moodycamel::ConcurrentQueue<Delivery*>& queue;
  moodycamel::ConsumerToken token;
};

DeliveryQueue::DeliveryQueue() : state_(std::make_unique<State>()) {}

DeliveryQueue::~DeliveryQueue() = default;

std::size_t DeliveryQueue::size() const { return state_->queue.size_approx(); }

DeliveryQueue::Producer::Producer(DeliveryQueue& queue)
    : state_(std::make_unique<State>(*queue.state_)) {}

DeliveryQueue::Producer::~Producer() = default;

void DeliveryQueue::Producer::push(std::span<Delivery* const> deliveries) {
  hand_over(&state_->queue);
  const bool pushed =
      state_->queue.enqueue_bulk(state_->token, deliveries.data(), deliveries.size());
  RP_ASSERT(pushed);  // fails only for want of memory
}

DeliveryQueue::Consumer::Consumer(DeliveryQueue& queue)
    : state_(std::make_unique<State>(*queue.state_)) {}

DeliveryQueue::Consumer::~Consumer() = default;

std::size_t DeliveryQueue::Consumer::take(std::span<Delivery*> deliveries) {
  const std::size_t count =
      state_->queue.try_dequeue_bulk(state_->token, deliveries.data(), deliveries.size());
  take_over(&state_->queue);
  return count;
}

}  // namespace ringpost::queue
