// The problem: any thread may submit and any worker may take, in every turn. The idea: moodycamel's
// concurrent queue, with a token for each side, which keeps a producer's order and saves both sides
// a search; the library stays within this file. Limits: it has no bound of its own, and want of
// memory at a push ends the program.
#include "queue/job_queue.h"

#include <concurrentqueue.h>

#include "queue/handover.h"

namespace ringpost::queue {

struct JobQueue::State {
  moodycamel::ConcurrentQueue<Job*> queue;
};

struct JobQueue::Producer::State {
  explicit State(JobQueue::State& owner) : queue(owner.queue), token(owner.queue) {}
  moodycamel::ConcurrentQueue<Job*>& queue;
  moodycamel::ProducerToken token;
};

struct JobQueue::Consumer::State {
  explicit State(JobQueue::State& owner) : queue(owner.queue), token(owner.queue) {}
  moodycamel::ConcurrentQueue<Job*>& queue;
  moodycamel::ConsumerToken token;
};

JobQueue::JobQueue() : state_(std::make_unique<State>()) {}

JobQueue::~JobQueue() = default;

bool JobQueue::empty() const { return state_->queue.size_approx() == 0; }

JobQueue::Producer::Producer(JobQueue& queue) : state_(std::make_unique<State>(*queue.state_)) {}

JobQueue::Producer::~Producer() = default;

void JobQueue::Producer::push(std::span<Job* const> jobs) {
  hand_over(&state_->queue);
  const bool pushed = state_->queue.enqueue_bulk(state_->token, jobs.data(), jobs.size());
  RP_ASSERT(pushed);  // fails only for want of memory
}

JobQueue::Consumer::Consumer(JobQueue& queue) : state_(std::make_unique<State>(*queue.state_)) {}

JobQueue::Consumer::~Consumer() = default;

std::size_t JobQueue::Consumer::take(std::span<Job*> jobs) {
  const std::size_t count = state_->queue.try_dequeue_bulk(state_->token, jobs.data(), jobs.size());
  take_over(&state_->queue);
  return count;
}

}  // namespace ringpost::queue
