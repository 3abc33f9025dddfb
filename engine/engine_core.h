// An engine but for its threads: its endpoints, the way of messages to workers and of outcomes
// back. Whoever drives workers, on threads of their own or step by step, drives them around this.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/endpoint_gate.h"
#include "engine/stats.h"
#include "engine/weighted_turns.h"
#include "engine/worker.h"
#include "queue/delivery_queue.h"
#include "queue/message_pool.h"
#include "queue/outcome_queue.h"
#include <ringpost/base.h>
#include <ringpost/config.h>
#include <ringpost/engine.h>

namespace ringpost::engine {

// How much of everything there may be, besides what the user says.
struct EngineLimits {
  std::size_t deliveries_active_max = 0;  // of all that are out: see MessagePoolOptions
  // That a feeder gathers before workers are woken for them.
  std::size_t deliveries_per_push_max = 0;
  // Of one worker for one endpoint, waiting for another attempt: see RouteLimits.
  std::size_t retry_messages_max = 0;
  std::size_t retry_bytes_max = 0;
};

// What a run goes by.
[[nodiscard]] EngineLimits engine_limits(const EngineOptions& options);

// Never waits, and is told the time by `Parts` and its callers. Outcomes come back in as many
// groups as `outcome_threads` says, each with a queue of its own, so that those who hear them share
// nothing: worker i, and feeder i likewise, tells group i modulo their number, and everybody of a
// delivery is told of in one group.
//
// Thread: give(), hold_sending(), look_for_cancelled(), the pool and what is const are for any; a
// Feeder is one thread's; take_decided(), give_back_told() and the waiting end of a group's
// outcomes() belong to one thread for each group, that which hears its outcomes. Lifetime: outlives
// workers, feeders, and whatever of `Parts` may still call back.
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
    std::function<std::int64_t()> unix_time_us;  // of what is decided before it is sent
    // For each endpoint where the counts of its rates are, which outlives the core; null or not
    // there: in the core alone.
    std::vector<queue::QuotaMemory*> quota_memories = {};
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
  [[nodiscard]] queue::MessagePool& pool() { return pool_; }
  [[nodiscard]] const queue::MessagePool& pool() const { return pool_; }
  // Deliveries that may be out and are not set aside.
  [[nodiscard]] std::size_t room_for_deliveries() const { return limits_.deliveries_active_max; }
  [[nodiscard]] std::size_t group_count() const { return groups_.size(); }
  // Of the group to which the worker, or the feeder, of this number belongs.
  [[nodiscard]] queue::OutcomeQueue& outcomes(std::size_t number) {
    return groups_[number % groups_.size()]->outcomes;
  }

  // What workers are to obey. An order is never taken back by a smaller one.
  [[nodiscard]] const std::atomic<WorkerOrder>& order() const { return order_; }
  void give(WorkerOrder wanted);
  void hold_sending(bool held);
  // A Cancellation was cancelled: workers decide what waits with it.
  void look_for_cancelled();

  // Fills the front of `views` with decided recipients of a group and says how many. Each of them
  // is shown once and counts as told with the next call of either function, which ends the view. A
  // delivery that was told of to the last recipient goes back to the pool: here when there is more
  // to show, else with give_back_told(), so that whoever has seen all messages back finds nobody
  // who still tells of one.
  [[nodiscard]] std::size_t take_decided(std::span<OutcomeView> views, std::size_t group = 0);
  void give_back_told(std::size_t group = 0);
  // Recipients that were shown, by status. For any thread.
  [[nodiscard]] std::array<std::uint64_t, status_count> outcomes_told() const;

  // Of endpoints: those that were given up, and how each is spoken to.
  [[nodiscard]] std::vector<EndpointFailure> endpoint_failures() const;
  [[nodiscard]] std::vector<EndpointReport> endpoint_reports(Instant now) const;
  [[nodiscard]] EndpointCounts counts_of_endpoints(Instant now) const;

 private:
  struct Endpoint {
    std::unique_ptr<EndpointGate> gate;
    std::unique_ptr<queue::DeliveryQueue> deliveries;
    std::vector<std::unique_ptr<RouteStats>> stats;  // of each worker
  };

  [[nodiscard]] std::uint32_t share_of_worker(std::uint32_t number, std::uint32_t worker) const;
  [[nodiscard]] RouteLimits share_of(const EndpointOptions& endpoint, std::uint32_t worker) const;

  static constexpr std::size_t lent_max = 256;  // recipients at a time

  struct Lent {
    Delivery* delivery = nullptr;
    std::size_t recipients = 0;
  };
  // Of whoever hears the outcomes of a group.
  struct OutcomeGroup {
    void take_more(std::size_t most);
    void count_told();
    void give_back(queue::MessagePool& pool);

    queue::OutcomeQueue outcomes;
    std::array<Counter, status_count> by_status;  // that were shown
    std::vector<Delivery*> told;  // all of them was told, and they are not given back yet
    std::size_t lent_count = 0;   // that take_decided() has lent
    std::array<Lent, lent_max> lent;
    // Out of the queue, and not shown yet: from the one at `next` on.
    std::size_t taken_next = 0;
    std::size_t taken_count = 0;
    std::array<queue::DecidedRecipients, lent_max> taken;
  };

  const EngineOptions options_;
  // Workers read it each turn: it lies among what nobody writes.
  std::atomic<WorkerOrder> order_{WorkerOrder::run};
  std::atomic<std::uint64_t> cancellations_{0};  // so far; workers read it each turn, too
  const Parts parts_;
  const EngineLimits limits_;
  std::vector<Endpoint> endpoints_;
  queue::MessagePool pool_;
  std::vector<std::unique_ptr<OutcomeGroup>> groups_;           // at least one
  std::vector<std::unique_ptr<protocol::StepListener>> steps_;  // of each worker; none: no one asks
};

// Messages on their way in: Engine::Submitter without its waiting and waking.
class EngineCore::Feeder {
 public:
  // Where a message has gone.
  enum class Way : std::uint8_t {
    gathered,     // it waits in the batch
    to_workers,   // it has left with its batch: workers that sleep want to be woken
    to_outcomes,  // nothing of it is sent; the outcomes are in the queue
  };

  struct Options {
    std::size_t number = 0;         // among those that feed: says the group that hears of refusals
    std::size_t taken_at_once = 1;  // messages out of the pool, so that feeders rarely meet there
  };

  Feeder(EngineCore& core, const Options& options);
  ~Feeder();  // as close()
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;

  // The message to fill: an empty one, or the one that is at hand already. Null while there is no
  // room.
  [[nodiscard]] Consignment* try_next();
  // At hand is this one: of whoever has waited for it (MessagePool::acquire), or null.
  Consignment* take_over(Consignment* consignment) { return at_hand_ = consignment; }
  [[nodiscard]] bool has_message() const { return at_hand_ != nullptr; }
  // Why the message that was submitted last was refused; empty: it was not.
  [[nodiscard]] const std::string& offence() const { return offence_; }
  // The message at hand goes on its way; see Engine::Submitter, submit() and refuse().
  Way submit(Instant now);
  Way refuse(std::string_view reason);
  // Nothing of it is sent, and this is what everybody is told; an offence is refused as by
  // submit().
  Way rehearse(const protocol::Verdict& verdict);
  // The batch leaves. True: it was not empty, and workers that sleep want to be woken.
  [[nodiscard]] bool flush();
  // Messages that nobody has filled go back, that at hand too: whoever waits takes no room.
  void give_back_empty();
  // Nothing more comes: the batch leaves, and empty messages go back. True as above.
  bool close();

 private:
  // To one endpoint.
  struct Lane {
    explicit Lane(queue::DeliveryQueue& deliveries) : producer(deliveries) {}
    queue::DeliveryQueue::Producer producer;
    std::vector<Delivery*> batch;
    std::uint32_t recipients_max = 0;  // of one delivery
  };

  [[nodiscard]] Lane* lane_of(const Message& message, Instant now);
  [[nodiscard]] std::size_t next_endpoint(Instant now);
  void push(Consignment& consignment, Lane* lane, std::int64_t now_us);
  Way tell(const protocol::Verdict& verdict);
  void report(Delivery& delivery);
  void charge(Consignment& consignment, bool at_once);
  void charge_all();

  EngineCore& core_;
  const Options options_;
  queue::OutcomeQueue::Producer outcomes_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // one for each endpoint
  WeightedTurns turns_;                       // of them
  Consignment* at_hand_ = nullptr;
  std::vector<Consignment*> empty_;  // to come to hand, the last one first
  std::size_t gathered_ = 0;
  // Filled, and not charged: in the batch, all of them.
  std::vector<Consignment*> uncharged_;
  std::size_t uncharged_bytes_ = 0;
  std::string offence_;
  // Of the last message: to be compared, it may be gone.
  const SegmentStore* shared_last_ = nullptr;
};

}  // namespace ringpost::engine
