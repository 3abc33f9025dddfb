// The problem: reading is faster than sending, and what is read has to stay within bounds without
// an allocation for each job. The idea: one lock over a few counters and a stack of free jobs, so
// that the next job is the one whose memory is still in the cache; clearing is done outside of the
// lock. Limits: jobs that are taken up again are not held back, so the bound on active ones is
// soft; of the memory that free jobs keep only the long buffers are counted.
#include "queue/job_pool.h"

#include <algorithm>

#include "codec/job/job_prefetch.h"

namespace ringpost::queue {

namespace {

// What the buffers of a job hold of memory, full or empty.
std::size_t buffer_bytes(const Job& job) {
  return job.content.capacity() + job.tags_json.capacity() + job.metadata_json.capacity() +
         job.recipients.capacity() * sizeof(Recipient);
}

// Outside of the lock, and by whoever fills the job next.
Job* cleared(Job* job) {
  if (job != nullptr) {
    codec::prefetch_parts(*job);
    job->clear();
  }
  return job;
}

}  // namespace

Job* JobPool::take() {
  ++jobs_out_;
  if (free_.empty()) {
    return jobs_.emplace_back(std::make_unique<Job>()).get();
  }
  const FreeJob taken = free_.back();
  free_.pop_back();
  bytes_free_ -= taken.bytes;
  if (!free_.empty()) {
    codec::prefetch_job(*free_.back().job);
  }
  return taken.job;
}

Job* JobPool::acquire() {
  std::unique_lock lock(mutex_);
  ++waiting_;
  room_.wait(lock, [this] { return closed_ || has_room(); });
  --waiting_;
  Job* const job = closed_ ? nullptr : take();
  lock.unlock();
  return cleared(job);
}

Job* JobPool::try_acquire() {
  std::unique_lock lock(mutex_);
  Job* const job = closed_ || !has_room() ? nullptr : take();
  lock.unlock();
  return cleared(job);
}

void JobPool::charge(Job& job) {
  // A small job in the buffers of a large one counts for these.
  const std::size_t bytes = std::max(job.bytes(), buffer_bytes(job));
  const std::lock_guard lock(mutex_);
  bytes_out_ = bytes_out_ - job.budget_bytes + bytes;
  job.budget_bytes = bytes;
}

void JobPool::set_aside() {
  const std::lock_guard lock(mutex_);
  ++jobs_aside_;
  RP_ASSERT(jobs_aside_ <= jobs_out_);
  if (waiting_ > 0 && has_room()) {
    room_.notify_all();
  }
}

void JobPool::take_up() {
  const std::lock_guard lock(mutex_);
  RP_ASSERT(jobs_aside_ > 0);
  --jobs_aside_;
}

void JobPool::give_back(std::span<Job* const> jobs) {
  std::size_t bytes = 0;
  for (Job* const job : jobs) {
    bytes += job->budget_bytes;
    job->give_up_memory();
  }
  const std::lock_guard lock(mutex_);
  for (Job* const job : jobs) {
    std::size_t kept = buffer_bytes(*job);
    if (bytes_free_ + kept > options_.bytes_max) {
      // Made anew, since an assignment of empty strings would keep the buffers.
      std::destroy_at(job);
      std::construct_at(job);
      kept = buffer_bytes(*job);
    }
    bytes_free_ += kept;
    free_.push_back({job, kept});
  }
  RP_ASSERT(jobs_out_ - jobs_aside_ >= jobs.size() && bytes_out_ >= bytes);
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
