// The loop of a core. Everything happens once a turn and in the same order, however much there is
// of it: that is what makes batches out of single events, and what a simulation can step through.
#include "engine/worker.h"

#include <algorithm>
#include <chrono>

#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

// Six TLS records and what they carry beside the plaintext: a message of 75 KB goes in one send.
constexpr std::size_t send_buffer_bytes = 6 * limits::tls_record_bytes_max + 2048;
constexpr std::size_t send_buffers_max = 680;
// Room for a whole record, and for a handshake flight's pending octets behind it.
constexpr std::size_t plaintext_room_bytes = limits::tls_record_bytes_max;

}  // namespace

Worker::Worker(io::Io& io, std::vector<WorkerEndpoint> endpoints, queue::OutcomeQueue& outcomes,
               const std::atomic<WorkerOrder>& order, WorkerStats& stats,
               const WorkerOptions& options)
    : io_(io),
      endpoints_(std::move(endpoints)),
      order_(order),
      stats_(stats),
      plaintext_room_(plaintext_room_bytes),
      send_buffers_(send_buffer_bytes, send_buffers_max),
      timers_(io.now()),
      journal_(options.journal),
      outcomes_(outcomes) {
  RouteEnvironment environment{
      &connections_,
      &dirty_,
      &decided_,
      &stats_,
      journal_ != nullptr ? &intents_ : nullptr,
      options.deadline,
      options.pool,
      options.deadline == never ? never : options.deadline + options.deadline_drain,
      nullptr,
      options.cancellations};
  for (std::uint32_t i = 0; i < endpoints_.size(); ++i) {
    WorkerEndpoint& endpoint = endpoints_[i];
    environment.route_stats = endpoint.stats;
    ConnectionEnvironment connection;
    connection.io = &io_;
    connection.send_buffers = &send_buffers_;
    connection.link.plaintext_room = plaintext_room_;
    connection.link.tls_context = endpoint.tls_context.get();
    connection.link.tickets = &tickets_;
    connection.link.host = endpoint.gate->options().host;
    connection.link.tls_timeout = endpoint.gate->options().tls_timeout;
    connection.endpoint = &endpoint.gate->options();
    connection.session = &endpoint.session;
    routes_.push_back(std::make_unique<Route>(environment, connection, *endpoint.gate,
                                              *endpoint.deliveries, i, endpoint.limits));
  }
  for (const auto& route : routes_) {
    route->meet(routes_);
  }
}

Worker::~Worker() = default;

void Worker::run() {
  while (turn()) {
  }
}

bool Worker::turn() {
  stats_.turns.add(1);
  // Sleeping is announced before the queues are looked at for the last time, so that no push is
  // missed.
  const bool hungry = std::any_of(routes_.begin(), routes_.end(),
                                  [](const auto& route) { return route->hungry(); });
  if (hungry) {
    parked_.exchange(true);
  }
  const Instant deadline = next_turn_at();
  const std::span<const io::Completion> completions = io_.wait(deadline);
  parked_.store(false, std::memory_order_relaxed);

  // What the engine wants now.
  obey();
  // What came in: replies, connections made and lost.
  act_on(completions);
  // What did not come in time.
  act_on_timers();
  // What waits goes to the sessions that have room, and new sessions are opened for the rest.
  for (const auto& route : routes_) {
    route->turn(io_.now());
  }
  // What sessions have to say is sealed and handed to the ring.
  pump();
  // What was decided goes to the outcome thread.
  publish();
  // What endpoints that do not answer have kept goes to the others.
  for (const auto& route : routes_) {
    route->hand_over();
  }
  return !over();
}

void Worker::obey() {
  const WorkerOrder order = order_.load(std::memory_order_acquire);
  if (order == obeyed_) {
    return;
  }
  obeyed_ = order;
  for (const auto& route : routes_) {
    switch (order) {
      case WorkerOrder::run:
        break;
      case WorkerOrder::stop_sending:
        route->stop_sending();
        break;
      case WorkerOrder::finish:
        route->quit();
        break;
      case WorkerOrder::abort:
        route->abort();
        break;
    }
  }
}

void Worker::act_on(std::span<const io::Completion> completions) {
  for (const io::Completion& completion : completions) {
    if (completion.operation == io::Operation::wake) {
      continue;
    }
    Connection* const connection = connections_.find(completion.owner);
    RP_ASSERT(connection != nullptr);
    connection->complete(completion);
    mark_dirty(*connection);
  }
}

void Worker::act_on_timers() {
  due_.clear();
  timers_.expire(io_.now(), due_);
  for (const std::uint32_t owner : due_) {
    if (Connection* const connection = connections_.find(owner)) {
      // The wheel may have kept a deadline of an earlier connection with this number.
      if (connection->deadline() <= io_.now()) {
        connection->expire(io_.now());
      }
      mark_dirty(*connection);
    }
  }
}

void Worker::mark_dirty(Connection& connection) {
  if (!connection.dirty) {
    connection.dirty = true;
    dirty_.push_back(&connection);
  }
}

void Worker::pump() {
  pumping_.clear();
  pumping_.swap(dirty_);
  for (Connection* const connection : pumping_) {
    connection->dirty = false;
    if (!connection->seal()) {
      mark_dirty(*connection);  // send buffers are short: a later turn
    }
  }
  // Before any of it leaves.
  const bool may_send = write_intents();
  for (Connection* const connection : pumping_) {
    if (connection->sealed()) {
      may_send ? connection->send() : connection->withhold();
    }
    if (connection->finished()) {
      timers_.set(connection->owner(), never);
      connections_.remove(connection->owner());
      continue;
    }
    timers_.set(connection->owner(), connection->deadline());
  }
}

// False: they could not be written, and what they are about must not leave. While the disk is full
// everything waits here, as long as nobody wants to end: nothing else could be done with what is
// sealed.
bool Worker::write_intents() {
  if (intents_.empty()) {
    return true;
  }
  auto written = journal_->append_intents(intents_);
  while (!written && written.error().may_be_tried_again &&
         order_.load(std::memory_order_acquire) == WorkerOrder::run) {
    io_.pause(std::chrono::milliseconds(100));
    written = journal_->append_intents(intents_);
  }
  intents_.clear();
  if (!written) {
    journal_failed_.store(true);
    for (const auto& route : routes_) {
      route->stop_sending();
    }
  }
  return written.has_value();
}

void Worker::publish() {
  // What came up in pump(), behind the others: intents that came to nothing. In the journal they
  // stand before the outcomes, which are the last word. A failure is known to everybody, and leaves
  // them in flight.
  static_cast<void>(write_intents());
  if (!decided_.empty()) {
    outcomes_.push(decided_);
    decided_.clear();
  }
}

Instant Worker::next_turn_at() {
  Instant at = timers_.next();
  for (const auto& route : routes_) {
    at = std::min(at, route->has_work() ? Instant{} : route->next_turn_at());
  }
  return at;
}

bool Worker::over() const { return obeyed_ == WorkerOrder::finish && connections_.size() == 0; }

}  // namespace ringpost::engine
