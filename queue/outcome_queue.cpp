// The problem: the consumer has to sleep when there is nothing, and workers must not pay a system
// call for each push to wake it. The idea: a flag says whether it sleeps; both sides exchange it,
// so that none can miss the other, and only a push that finds it set wakes. Limits: one consumer;
// order is that of each producer; want of memory at a push ends the program.
#include "queue/outcome_queue.h"

#include <atomic>

#include <concurrentqueue.h>

#include "queue/handover.h"

namespace ringpost::queue {

struct OutcomeQueue::State {
  moodycamel::ConcurrentQueue<DecidedRecipients> queue;
  // 1 while the consumer sleeps. A producer that finds it takes it back and wakes the consumer, so
  // that pushing to a busy consumer costs no system call.
  std::atomic<std::uint32_t> sleeping{0};
  std::atomic<bool> closed{false};

  // Both sides exchange: whoever comes second reads the other's value and sees all that went before
  // it. So either the consumer sees what was pushed, or the producer sees that it sleeps.
  void wake() {
    if (sleeping.exchange(0) != 0) {
      sleeping.notify_one();
    }
  }
};

struct OutcomeQueue::Producer::State {
  explicit State(OutcomeQueue::State& state) : owner(state), token(state.queue) {}
  OutcomeQueue::State& owner;
  moodycamel::ProducerToken token;
};

OutcomeQueue::OutcomeQueue() : state_(std::make_unique<State>()) {}

OutcomeQueue::~OutcomeQueue() = default;

std::size_t OutcomeQueue::take(std::span<DecidedRecipients> decided) {
  const std::size_t count = state_->queue.try_dequeue_bulk(decided.data(), decided.size());
  take_over(&state_->queue);
  return count;
}

bool OutcomeQueue::wait() {
  State& state = *state_;
  while (state.queue.size_approx() == 0) {
    if (state.closed.load()) {
      return state.queue.size_approx() != 0;
    }
    state.sleeping.exchange(1);
    if (state.queue.size_approx() != 0 || state.closed.load()) {
      state.sleeping.store(0);
      continue;
    }
    state.sleeping.wait(1);
  }
  return true;
}

void OutcomeQueue::close() {
  state_->closed.store(true);
  state_->wake();
}

OutcomeQueue::Producer::Producer(OutcomeQueue& queue)
    : state_(std::make_unique<State>(*queue.state_)) {}

OutcomeQueue::Producer::~Producer() = default;

void OutcomeQueue::Producer::push(std::span<const DecidedRecipients> decided) {
  hand_over(&state_->owner.queue);
  const bool pushed =
      state_->owner.queue.enqueue_bulk(state_->token, decided.data(), decided.size());
  RP_ASSERT(pushed);  // fails only for want of memory
  state_->owner.wake();
}

}  // namespace ringpost::queue
