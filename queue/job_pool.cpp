#include "queue/job_pool.h"

namespace ringpost::queue {

Job* JobPool::take() {
  if (free_.empty()) {
    jobs_.push_back(std::make_unique<Job>());
    free_.push_back(jobs_.back().get());
  }
  Job* const job = free_.back();
  free_.pop_back();
  ++jobs_out_;
  return job;
}

Job* JobPool::acquire() {
  std::unique_lock lock(mutex_);
  ++waiting_;
  room_.wait(lock, [this] { return closed_ || has_room(); });
  --waiting_;
  return closed_ ? nullptr : take();
}

Job* JobPool::try_acquire() {
  const std::lock_guard lock(mutex_);
  return closed_ || !has_room() ? nullptr : take();
}

void JobPool::charge(Job& job) {
  const std::size_t bytes = job.bytes();
  const std::lock_guard lock(mutex_);
  bytes_out_ = bytes_out_ - job.budget_bytes + bytes;
  job.budget_bytes = bytes;
}

void JobPool::give_back(std::span<Job* const> jobs) {
  std::size_t bytes = 0;
  for (Job* const job : jobs) {
    bytes += job->budget_bytes;
    job->clear();
  }
  const std::lock_guard lock(mutex_);
  free_.insert(free_.end(), jobs.begin(), jobs.end());
  RP_ASSERT(jobs_out_ >= jobs.size() && bytes_out_ >= bytes);
  jobs_out_ -= jobs.size();
  bytes_out_ -= bytes;
  if (waiting_ > 0 && has_room()) {
    room_.notify_all();
  }
  if (jobs_out_ == 0) {
    idle_.notify_all();
  }
}

void JobPool::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  room_.notify_all();
}

bool JobPool::wait_until_idle(Instant deadline) {
  std::unique_lock lock(mutex_);
  const auto idle = [this] { return jobs_out_ == 0; };
  if (deadline == never) {
    idle_.wait(lock, idle);
    return true;
  }
  return idle_.wait_until(lock, deadline, idle);
}

std::size_t JobPool::jobs_out() const {
  const std::lock_guard lock(mutex_);
  return jobs_out_;
}

}  // namespace ringpost::queue
