// One core's share of the engine: a ring, its sessions to every endpoint, and the loop that moves
// them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/connection.h"
#include "engine/endpoint_gate.h"
#include "engine/io/buffer_pool.h"
#include "engine/io/io.h"
#include "engine/io/timer_wheel.h"
#include "engine/route.h"
#include "engine/stats.h"
#include "queue/delivery_queue.h"
#include "queue/intent_log.h"
#include "queue/message_pool.h"
#include "queue/outcome_queue.h"
#include "tls/context.h"
#include "tls/ticket_cache.h"

namespace ringpost::engine {

// An endpoint as an engine keeps it: what its workers share.
struct WorkerEndpoint {
  EndpointGate* gate = nullptr;
  queue::DeliveryQueue* deliveries = nullptr;
  protocol::SessionOptions session;
  std::unique_ptr<codec::ScramCache> scram_cache;  // of `session`
  std::unique_ptr<tls::Context> tls_context;       // null without TLS; this worker's own
  RouteLimits limits;                              // this worker's share
  RouteStats* stats = nullptr;                     // its own; null: nobody wants to know
};

struct WorkerOptions {
  Instant deadline = never;             // of the run
  queue::IntentLog* journal = nullptr;  // null: none is kept
  queue::MessagePool* pool = nullptr;   // which messages are from; null: it need not know who waits
  Duration deadline_drain{};            // for what is under way at the deadline
  // See RouteEnvironment.
  const std::atomic<std::uint64_t>* cancellations = nullptr;
};

// What an engine asks of its workers. Set by any thread, followed by Io::wake().
enum class WorkerOrder : std::uint8_t {
  run,
  stop_sending,  // what waits, and what comes, becomes unsent; what is under way goes on
  abort,         // what is under way ends too
  finish,        // every message has been decided: say QUIT and end
};

// Thread: run() and everything below it is one thread's; the atomics are for the engine's others.
class Worker {
 public:
  Worker(io::Io& io, std::vector<WorkerEndpoint> endpoints, queue::OutcomeQueue& outcomes,
         const std::atomic<WorkerOrder>& order, WorkerStats& stats,
         const WorkerOptions& options = {});
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Turns until it was told to finish and every session has ended.
  void run();
  // One pass of the loop; false when it is over. For simulations, which call it step by step.
  [[nodiscard]] bool turn();

  // Whether the worker is about to sleep and wants to be woken for new ones. Whoever pushed some
  // exchanges it for false and wakes the Io if it was true.
  [[nodiscard]] std::atomic<bool>& parked() { return parked_; }
  // Intents could not be written: nothing is sent any more. Any thread.
  [[nodiscard]] bool journal_failed() const { return journal_failed_.load(); }

 private:
  void obey();
  void act_on(std::span<const io::Completion> completions);
  void act_on_timers();
  void pump();
  [[nodiscard]] bool write_intents();
  void publish();
  void mark_dirty(Connection& connection);
  [[nodiscard]] Instant next_turn_at();
  [[nodiscard]] bool over() const;

  io::Io& io_;
  std::vector<WorkerEndpoint> endpoints_;
  const std::atomic<WorkerOrder>& order_;
  WorkerStats& stats_;
  WorkerOrder obeyed_ = WorkerOrder::run;
  std::atomic<bool> parked_{false};

  std::vector<char> plaintext_room_;
  io::BufferPool send_buffers_;
  io::TimerWheel timers_;
  tls::TicketCache tickets_;
  ConnectionTable connections_;
  std::vector<Connection*> dirty_;
  std::vector<Connection*> pumping_;
  std::vector<codec::JournalIntent> intents_;
  queue::IntentLog* journal_;
  std::atomic<bool> journal_failed_{false};
  std::vector<std::uint32_t> due_;
  std::vector<queue::DecidedRecipients> decided_;
  queue::OutcomeQueue::Producer outcomes_;
  std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace ringpost::engine
