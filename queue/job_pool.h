// Empty jobs, and the bound on full ones: where back-pressure comes from.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "codec/job/job.h"
#include <ringpost/limits.h>

namespace ringpost::queue {

struct JobPoolOptions {
  std::size_t jobs_max = limits::jobs_in_flight_max;
  std::size_t bytes_max = limits::job_bytes_in_flight_max;
  // Of those that are not set aside. A few are used again while they still are in the cache of a
  // core; thousands in turn never are.
  std::size_t jobs_active_max = limits::jobs_in_flight_max;
};

// Owns every job of an engine. A job is out from acquire() until give_back(), and counts against
// the bounds for that time; whoever wants another waits. The bound on bytes is soft by one job of
// each thread that submits: its size is known only when it has been read. Jobs that are not out
// keep their buffers for the next one, and together no more than the bound on bytes. All calls are
// thread-safe.
class JobPool {
 public:
  explicit JobPool(const JobPoolOptions& options) : options_(options) {}
  JobPool(const JobPool&) = delete;
  JobPool& operator=(const JobPool&) = delete;

  // A cleared job. Waits while a bound is reached; null after close().
  [[nodiscard]] Job* acquire();
  // The same without waiting; null when it would have to.
  [[nodiscard]] Job* try_acquire();
  // Sets what the job counts for, now that it is filled.
  void charge(Job& job);
  // A job that waits for another attempt is no active one, until it is taken up again: those that
  // can go on pass it by.
  void set_aside();
  void take_up();
  // Takes back jobs that are not set aside. What they say is lost.
  void give_back(std::span<Job* const> jobs);
  // Nobody waits any more.
  void close();
  // Waits until every job is back, or until `deadline`; says whether they are.
  [[nodiscard]] bool wait_until_idle(Instant deadline);
  [[nodiscard]] std::size_t jobs_out() const;

 private:
  [[nodiscard]] bool has_room() const {
    return jobs_out_ < options_.jobs_max && bytes_out_ < options_.bytes_max &&
           jobs_out_ - jobs_aside_ < options_.jobs_active_max;
  }
  [[nodiscard]] Job* take();

  // Its buffers' octets stand beside it: whoever takes a job does not look into it under the lock.
  struct FreeJob {
    Job* job;
    std::size_t bytes;
  };

  JobPoolOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable idle_;
  std::vector<std::unique_ptr<Job>> jobs_;
  std::vector<FreeJob> free_;
  std::size_t jobs_out_ = 0;
  std::size_t jobs_aside_ = 0;  // of those that are out
  std::size_t bytes_out_ = 0;
  std::size_t bytes_free_ = 0;  // buffers that free jobs keep for the next one
  std::size_t waiting_ = 0;
  bool closed_ = false;
};

}  // namespace ringpost::queue
