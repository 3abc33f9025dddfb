// Filled jobs on their way from whoever reads them to whichever worker has room.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "codec/job/job.h"

namespace ringpost::queue {

// Any number of producers and consumers, without locks; in order for each producer. Bounded by the
// JobPool that the jobs come from, so it never refuses one. Producers and Consumers are used by one
// thread each and do not outlive the queue.
class JobQueue {
 public:
  class Producer {
   public:
    explicit Producer(JobQueue& queue);
    ~Producer();
    void push(std::span<Job* const> jobs);

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

  class Consumer {
   public:
    explicit Consumer(JobQueue& queue);
    ~Consumer();
    // Fills the front of `jobs` with what is there and returns how many.
    [[nodiscard]] std::size_t take(std::span<Job*> jobs);

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

  JobQueue();
  ~JobQueue();
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  // Whether there seems to be something to take. Exact when nobody pushes or takes at the same
  // time.
  [[nodiscard]] bool empty() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringpost::queue
