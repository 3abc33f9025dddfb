// Decided recipients on their way from the workers to the outcome thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "codec/job/delivery.h"

namespace ringpost::queue {

// Recipients [begin, end) of a delivery, whose outcomes are final. From the moment they are pushed
// those belong to the outcome thread.
struct DecidedRecipients {
  Delivery* delivery = nullptr;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

// Any number of producers, one consumer, without locks but for sleeping. Bounded by the
// MessagePool.
class OutcomeQueue {
 public:
  // Used by one thread; does not outlive the queue.
  class Producer {
   public:
    explicit Producer(OutcomeQueue& queue);
    ~Producer();
    void push(std::span<const DecidedRecipients> decided);

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

  OutcomeQueue();
  ~OutcomeQueue();
  OutcomeQueue(const OutcomeQueue&) = delete;
  OutcomeQueue& operator=(const OutcomeQueue&) = delete;

  // The consumer's thread: fills the front of `decided` with what is there, without waiting.
  [[nodiscard]] std::size_t take(std::span<DecidedRecipients> decided);
  // The consumer's thread: waits until there is something, or until close(). False: closed and
  // empty.
  [[nodiscard]] bool wait();
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringpost::queue
