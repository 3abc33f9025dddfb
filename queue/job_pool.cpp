#include "queue/job_pool.h"

#include <algorithm>

namespace ringpost::queue {

namespace {

// What the buffers of a job hold of memory, full or empty.
std::size_t buffer_bytes(const Job& job) {
  return job.content.capacity() + job.tags_json.capacity() + job.metadata_json.capacity() +
         job.recipients.capacity() * sizeof(Recipient);
}

}  // namespace

Job* JobPool::take() {
  if (free_.empty()) {
    jobs_.push_back(std::make_unique<Job>());
    free_.push_back(jobs_.back().get());
    bytes_free_ += buffer_bytes(*free_.back());  // a string has some octets of its own
  }
  Job* const job = free_.back();
  free_.pop_back();
  bytes_free_ -= buffer_bytes(*job);
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
  // A small job in the buffers of a large one counts for these.
  const std::size_t bytes = std::max(job.bytes(), buffer_bytes(job));
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
  for (Job* const job : jobs) {
    if (bytes_free_ + buffer_bytes(*job) > options_.bytes_max) {
      // Made anew, since an assignment of empty strings would keep the buffers.
      std::destroy_at(job);
      std::construct_at(job);
    }
    bytes_free_ += buffer_bytes(*job);
    free_.push_back(job);
  }
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
