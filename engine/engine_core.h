// An engine but for its threads: its endpoints, the way of jobs to workers and of outcomes back.
// Whoever drives workers, on threads of their own or step by step, drives them around this.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/endpoint_gate.h"
#include "engine/worker.h"
#include "queue/job_pool.h"
#include "queue/job_queue.h"
#include "queue/outcome_queue.h"
#include <ringpost/base.h>
#include <ringpost/config.h>
#include <ringpost/engine.h>

namespace ringpost::engine {

// How much of everything there may be, besides what the user says.
struct EngineLimits {
  std::size_t jobs_active_max = 0;    // of all jobs that are out: see JobPoolOptions
  std::size_t jobs_per_push_max = 0;  // that a feeder gathers before workers are woken for them
  // Of one worker for one endpoint, waiting for another attempt.
  std::size_t retry_jobs_max = 0;
  std::size_t retry_bytes_max = 0;
};

// What a run goes by.
[[nodiscard]] EngineLimits engine_limits(const EngineOptions& options);

// Never waits, and is told the time by `Parts` and its callers. Thread: give(), hold_sending(), the
// pool and what is const are for any; a Feeder is one thread's; take_decided(), give_back_told()
// and the waiting end of outcomes() belong to one thread, that which hears outcomes. Lifetime:
// outlives workers, feeders, and whatever of `Parts` may still call back.
class EngineCore {
 public:
  class Feeder;

  // What it needs of its surroundings. All of it is called after the constructor only.
  struct Parts {
    EndpointGate::Resolve resolve;
    // Has the token of an endpoint with a TokenReader read: EndpointGate::ReadToken of that one.
    std::function<void(std::size_t endpoint, std::function<void(TokenResult)>)> read_token;
    // All workers. On any thread.
    std::function<void()> wake;
    std::function<Instant()> clock;              // of what comes by itself
    std::function<std::int64_t()> unix_time_us;  // of jobs that are refused, or planned
  };

  EngineCore(EngineOptions options, Parts parts);
  // With bounds of the caller's own.
  EngineCore(EngineOptions options, Parts parts, const EngineLimits& limits);
  EngineCore(const EngineCore&) = delete;
  EngineCore& operator=(const EngineCore&) = delete;

  // A worker's share of all endpoints, one of `options().cores`. What is wrong with the files of an
  // endpoint's certificates shows here, so all shares are made before the first worker is.
  [[nodiscard]] Result<std::vector<WorkerEndpoint>, EngineError> worker_endpoints(
      std::uint32_t worker);
  // Of a run that began at `start`.
  [[nodiscard]] WorkerOptions worker_options(Instant start);

  [[nodiscard]] const EngineOptions& options() const { return options_; }
  // By the clocks of `Parts`.
  [[nodiscard]] Instant now() const { return parts_.clock(); }
  [[nodiscard]] std::int64_t unix_time_us() const { return parts_.unix_time_us(); }
  [[nodiscard]] queue::JobPool& pool() { return pool_; }
  [[nodiscard]] const queue::JobPool& pool() const { return pool_; }
  [[nodiscard]] queue::OutcomeQueue& outcomes() { return outcomes_; }

  // What workers are to obey. An order is never taken back by a smaller one.
  [[nodiscard]] const std::atomic<WorkerOrder>& order() const { return order_; }
  void give(WorkerOrder wanted);
  void hold_sending(bool held);

  // Fills the front of `views` with decided recipients and says how many. Each of them is shown
  // once and counts as told with the next call of either function, which ends the view. A job that
  // was told of to the last recipient goes back to the pool: here when there is more to show, else
  // with give_back_told(), so that whoever has seen all jobs back finds nobody who still tells of
  // one.
  [[nodiscard]] std::size_t take_decided(std::span<DecidedRecipientView> views);
  void give_back_told();

  // Of endpoints: those that were given up, and how each is spoken to.
  [[nodiscard]] std::vector<EndpointFailure> endpoint_failures() const;
  [[nodiscard]] std::vector<EndpointReport> endpoint_reports(Instant now) const;

 private:
  struct Endpoint {
    std::unique_ptr<EndpointGate> gate;
    std::unique_ptr<queue::JobQueue> jobs;
  };

  [[nodiscard]] RouteLimits share_of(const EndpointOptions& endpoint, std::uint32_t worker) const;
  void count_told();
  void give_back_told_jobs();

  static constexpr std::size_t lent_max = 256;  // recipients at a time

  const EngineOptions options_;
  // Workers read it each turn: it lies among what nobody writes.
  std::atomic<WorkerOrder> order_{WorkerOrder::run};
  const Parts parts_;
  const EngineLimits limits_;
  std::vector<Endpoint> endpoints_;
  queue::JobPool pool_;
  queue::OutcomeQueue outcomes_;

  // Of whoever hears outcomes.
  std::size_t lent_count_ = 0;  // recipients that take_decided() has lent
  std::vector<Job*> told_;      // all of them was told, and they are not given back yet
  std::array<queue::DecidedRecipient, lent_max> lent_;
};

// Jobs on their way in: Engine::Submitter without its waiting and waking.
class EngineCore::Feeder {
 public:
  // Where a job has gone.
  enum class Way : std::uint8_t {
    gathered,     // it waits in the batch
    to_workers,   // it has left with its batch: workers that sleep want to be woken
    to_outcomes,  // nothing is sent of it; the outcomes are in the queue
  };

  explicit Feeder(EngineCore& core);
  ~Feeder();  // as close()
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;

  // The job to fill: an empty one, or the one that is at hand already. Null while there is no room.
  [[nodiscard]] Job* try_next();
  // The job at hand is this one: of whoever has waited for it (JobPool::acquire), or null.
  Job* take_over(Job* job) { return job_ = job; }
  // The job at hand goes on its way; see Engine::Submitter, submit() and refuse().
  Way submit(Instant now);
  Way refuse(std::string_view reason);
  // The batch leaves. True: it was not empty, and workers that sleep want to be woken.
  [[nodiscard]] bool flush();
  // Nothing more comes: the batch leaves, and the job at hand goes back. True as above.
  bool close();

 private:
  // To one endpoint.
  struct Lane {
    explicit Lane(queue::JobQueue& jobs) : producer(jobs) {}
    queue::JobQueue::Producer producer;
    std::vector<Job*> batch;
    std::int64_t credit = 0;  // of smooth weighted turns
  };

  [[nodiscard]] Lane* lane_of(const Job& job);
  Way report(Job& job);

  EngineCore& core_;
  queue::OutcomeQueue::Producer outcomes_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // one for each endpoint
  Job* job_ = nullptr;                        // at hand
  std::size_t gathered_ = 0;
};

}  // namespace ringpost::engine
