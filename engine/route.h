// One endpoint as one worker sees it: its sessions, and the deliveries that wait for one. What
// becomes of a recipient whose attempt failed, attempt_policy decides.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "codec/journal/journal_record.h"
#include "codec/text/reusable_queue.h"
#include "engine/attempt_policy.h"
#include "engine/connection.h"
#include "engine/connection_table.h"
#include "engine/endpoint_gate.h"
#include "engine/limiting_factor.h"
#include "engine/outcome_record.h"
#include "engine/stats.h"
#include "engine/succession.h"
#include "engine/weighted_turns.h"
#include "queue/delivery_queue.h"
#include "queue/message_pool.h"
#include "queue/outcome_queue.h"
#include "queue/retry_schedule.h"

namespace ringpost::engine {

struct RouteEnvironment {
  ConnectionTable* connections = nullptr;
  std::vector<Connection*>* dirty = nullptr;  // to be pumped in this turn
  std::vector<queue::DecidedRecipients>* decided = nullptr;
  WorkerStats* stats = nullptr;
  std::vector<codec::JournalIntent>* intents = nullptr;  // to be noted; null without a journal
  Instant deadline = never;                              // of the run
  queue::MessagePool* pool = nullptr;  // which all messages are from; null: their bound is not its
  Instant sessions_end_at = never;     // those that are busy long behind the deadline
  RouteStats* route_stats = nullptr;   // of this route; null: nobody wants to know
  // How often messages were taken back; null: nobody takes any back.
  const std::atomic<std::uint64_t>* cancellations = nullptr;
};

// This worker's share of an endpoint.
struct RouteLimits {
  std::uint32_t connections_max = 0;  // that work
  // All, those included that are opened before others end, and what these have still to do; no less
  // than connections_max where it is not 0.
  std::uint32_t sockets_max = 0;
  // Messages that may wait for another attempt with their first delivery, and the octets that these
  // and further ones hold. Beyond that a 4xx is final: those that can go on would have no room.
  std::size_t retry_messages_max = limits::jobs_in_flight_max / 2;
  std::size_t retry_bytes_max = limits::job_bytes_in_flight_max / 2;
};

// Thread: its worker's. Everything given to it outlives it.
class Route final : private ConnectionListener {
 public:
  Route(const RouteEnvironment& environment, ConnectionEnvironment connection_environment,
        EndpointGate& gate, queue::DeliveryQueue& deliveries, std::uint32_t endpoint_index,
        const RouteLimits& limits);

  // The other endpoints of this worker, all routes of which are in `routes`, this one too. Before
  // the first turn; without it the route sends all that it is given.
  void meet(std::span<const std::unique_ptr<Route>> routes);

  // One look at what waits: gives deliveries to sessions with room, opens a session when that does
  // not suffice, and decides what cannot be sent.
  void turn(Instant now);
  // Gives away what others are to send. Comes last in a turn, when all that is known of it stands
  // in the journal and in the queue of outcomes.
  void hand_over();
  // Whether a delivery that is pushed now would find something to do here: a worker that sleeps
  // wants to be woken for it.
  [[nodiscard]] bool hungry() const;
  // Whether deliveries wait that turn() could act upon without any completion.
  [[nodiscard]] bool has_work() const;
  // When turn() should run even if nothing completes.
  [[nodiscard]] Instant next_turn_at() const;

  // Deliveries that wait, now and later, become `unsent`; those under way go on.
  void stop_sending() { stopping_ = true; }
  // QUIT on every session that is done.
  void quit();
  // Everything ends now, with verdicts for what is under way.
  void abort();

 private:
  [[nodiscard]] Instant deadline() const { return environment_.deadline; }
  [[nodiscard]] LimitingFactor act(Instant now);
  [[nodiscard]] LimitingFactor factor() const;
  void publish_counts() const;
  void note_times(Connection& connection, const Delivery& delivery) const;
  void assign(Instant now);
  [[nodiscard]] bool take_quota(const Connection& connection, const Delivery& delivery,
                                Instant now);
  void hear_quota(const Delivery& delivery, const protocol::Verdict& verdict);
  void settle_quota(const Delivery& delivery);
  void hear_too_fast(Delivery& delivery, const protocol::Verdict& verdict, Instant now);
  bool open_session(Instant now);
  [[nodiscard]] std::uint32_t working() const;
  [[nodiscard]] bool may_open() const;
  void grow(Instant now);
  void give_back_places(Instant now);
  void leave(Connection& connection);
  void shrink(Instant now);
  void note_given(Connection& connection, Instant now);
  void note_done(Connection& connection);
  void note_spent(Connection& connection);
  void relieve(Connection& connection);
  bool put_on_duty();
  void retire_sessions(Instant now);
  void open_successors(Instant now);
  [[nodiscard]] bool lacks_messages_room() const;
  [[nodiscard]] std::uint64_t successors_due(Instant now) const;
  struct Other;
  [[nodiscard]] bool is_left_alone(Instant now) const;
  [[nodiscard]] bool has_refuge(Instant now) const;
  [[nodiscard]] bool may_take(const Other& other, Instant now) const;
  [[nodiscard]] bool may_leave(const Delivery& delivery) const;
  void watch_circuit(Instant now);
  void leave_idle_sessions(Instant now);
  [[nodiscard]] bool wants_trial(Instant now);
  [[nodiscard]] bool is_at_work() const;
  void let_go(Instant now);
  void take_trial(Instant now);
  void hear_answer();
  [[nodiscard]] Instant next_look_at() const;
  void end_all_waiting(const protocol::CloseReason& reason);
  [[nodiscard]] bool give(Connection& connection, Delivery& delivery, Instant now);
  [[nodiscard]] bool sends_no_more() const;
  void take_due(Instant now);
  [[nodiscard]] Delivery* take_retry(Instant due);
  void note_taken_up(const Delivery& delivery);
  void expire_waiting(Instant now);
  void end_overdue_sessions();
  [[nodiscard]] bool has_cancelled() const {
    return environment_.cancellations != nullptr &&
           environment_.cancellations->load(std::memory_order_relaxed) != cancellations_seen_;
  }
  void look_for_cancelled(Instant now);
  void end_cancelled(Delivery& delivery);
  void expire(Delivery& delivery, protocol::WaitEnd end,
              const std::optional<protocol::CloseReason>& trouble);
  void end_wait(Delivery& delivery, const protocol::Verdict& verdict);
  void postpone(Delivery& delivery);
  void hear_mood(const protocol::Verdict& verdict, const AttemptRules& rules, Instant now);
  [[nodiscard]] AttemptRules attempt_rules() const;
  [[nodiscard]] Circumstances circumstances(const Delivery& delivery, Bytes peer) const;
  void list(Connection& connection);
  void pump_later(Connection& connection);
  void tell_knowledge(Connection& connection);
  void ask_for_tls();
  void want_tls_answer(const Connection& connection);
  void hear_tls_answer(const Connection& connection, const protocol::CloseReason& reason);
  void give_up_silent();
  [[nodiscard]] Delivery* next_delivery();
  void report_decided(Delivery& delivery);
  static void forget_loss(Delivery& delivery);
  static void remember_loss(Delivery& delivery);
  static void count_rate_refusals(Delivery& delivery);
  static void count_repeats(Delivery& delivery);
  void take_back_intent(Delivery& delivery, std::uint32_t index);

  void on_ready(Connection& connection) override;
  void on_silence(Connection& connection) override;
  void on_end_of_data(Delivery& delivery, std::uint32_t begin, std::uint32_t end) override;
  void on_verdict(Connection& connection, Delivery& delivery, std::uint32_t index,
                  const protocol::Verdict& verdict) override;
  void on_delivery_done(Connection& connection, Delivery& delivery) override;
  void on_fall_back(const protocol::CloseReason& why) override;
  void on_unruled(Stage stage, const codec::Reply& reply, const protocol::Ruling& ruling) override;
  [[nodiscard]] protocol::SaidInARow on_repeated(Delivery& delivery,
                                                 const protocol::Ruling& ruling) override;
  [[nodiscard]] bool on_one_too_many() override;
  void on_ended(Connection& connection, const protocol::CloseReason& reason) override;

  RouteEnvironment environment_;
  ConnectionEnvironment connection_environment_;
  protocol::Frontier frontier_;
  EndpointGate& gate_;
  queue::DeliveryQueue& deliveries_;
  queue::DeliveryQueue::Consumer consumer_;
  std::uint32_t endpoint_index_;
  RouteLimits limits_;

  codec::ReusableQueue<Delivery*>
      waiting_;  // taken from the queue, or come back from a session that died
  codec::ReusableQueue<Connection*> with_room_;  // the one that waited longest first
  // For the deliveries that sessions have, where the endpoint has rates.
  struct QuotaShare {
    QuotaTicket ticket;
    RateAnswer answer;
    bool has_left = false;  // the server may have counted it
  };
  std::unordered_map<const Delivery*, QuotaShare> quota_shares_;
  // Where it has none: how many messages were done when the server last said "too fast".
  std::optional<std::uint64_t> messages_at_refusal_;
  queue::RetrySchedule retries_;    // deliveries with postponed recipients
  std::size_t retry_messages_ = 0;  // of which it has the first one
  std::size_t retry_bytes_ = 0;     // that they hold
  std::uint64_t cancellations_seen_ = 0;
  Instant look_for_cancelled_at_{};
  EndpointMood mood_;
  Instant break_until_{};
  std::vector<Connection*> sessions_;  // opening or open; not those that ended

  // Sessions that end by the server's limits have successors, opened before (route_places.cpp).
  Succession succession_;
  std::uint32_t ready_ = 0;   // of sessions_
  std::uint32_t going_ = 0;   // of these: with their last messages
  std::uint32_t places_ = 0;  // sessions that may work
  // All of them are at work, and a rate allows more; for so long of the time since a moment.
  bool is_short_ = false;
  Duration short_for_{};
  Instant looked_at_{};
  Instant window_since_{};
  Instant grow_at_{};
  std::uint32_t busy_peak_ = 0;  // sessions that had something to do at a time, since then
  Instant busy_since_{};
  std::uint32_t level_ = 0;    // how many are to work: as many as were needed at a time
  std::uint32_t on_duty_ = 0;  // how many do
  codec::ReusableQueue<Connection*> reserve_;  // the others that are ready
  std::size_t in_flight_ = 0;                  // deliveries that sessions have
  std::uint64_t messages_max_ = UINT64_MAX;    // of a session, where one is known
  std::uint32_t steps_ = 0;                    // by which their number at a time has grown
  Instant next_step_at_{};
  bool sessions_end_ = false;  // by a limit that is known
  bool ages_ = false;          // by age, or when idle
  Instant look_at_sessions_at_ = never;
  // A port that does not greet is asked once whether it waits for TLS.
  enum class TlsQuestion : std::uint8_t { none, wanted, asked, answered, over };
  TlsQuestion tls_question_ = TlsQuestion::none;
  bool was_ready_ = false;           // a session of this route
  std::uint32_t silent_closes_ = 0;  // connections closed without a word before that
  io::SocketAddress silent_address_;
  std::string tls_answer_;  // what is wrong with the port
  Connection* asking_ = nullptr;
  Instant try_again_at_ = never;
  // The last turn() has opened a session or asked the gate in vain: a completion or a wake-up will
  // come.
  bool asked_gate_ = false;
  bool rate_is_used_up_ = false;                     // the last turn() has met it
  LimitingFactor factor_ = LimitingFactor::nothing;  // since then
  Instant factor_since_{};
  bool stopping_ = false;

  // Of failover. Another endpoint, as this worker sees it.
  struct Other {
    explicit Other(Route& other);
    Route* route;
    queue::DeliveryQueue::Producer producer;
    std::vector<Delivery*> batch;
  };
  std::deque<Other> others_;
  WeightedTurns turns_;             // of the others
  std::vector<Delivery*> leaving_;  // until the end of the turn
  bool someone_waits_ = false;      // a session, for the server
  bool has_left_sessions_ = false;  // since the circuit is open
  Instant look_at_{};               // how long they wait
  Instant let_go_at_{};
  Instant trial_session_at_{};
};

}  // namespace ringpost::engine
