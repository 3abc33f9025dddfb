// The problem: where several endpoints share the work, one that goes away keeps what was meant for
// it, for minutes, although others could send it. The idea: a circuit says whether the endpoint
// answers (engine/circuit.h). While it is open, what no session has and nobody has ever been in
// doubt about leaves for the other endpoints by their weights, at the end of a turn, when all that
// is known of it stands in the journal; and a session is opened now and then to see whether the
// server is back. Limits: what sessions have stays theirs, with all the time that RFC 5321 gives a
// server; what names its endpoint stays, and so does what may have been sent already.
#include <algorithm>
#include <array>

#include "engine/route.h"
#include "queue/consignment.h"

namespace ringpost::engine {

namespace {

// How often a route looks how long its sessions have waited, and whether something may leave.
constexpr Duration circuit_look_every = std::chrono::milliseconds(500);
constexpr Duration leave_look_every = std::chrono::milliseconds(50);
constexpr Duration trial_session_every = std::chrono::seconds(1);
// Deliveries that leave in one turn.
constexpr std::size_t leaving_max = 1024;

bool is_partly_told(const Delivery& delivery) {
  if (!delivery.is_open) {
    return false;
  }
  const auto recipients = delivery.active_recipients();
  return std::any_of(recipients.begin(), recipients.end(),
                     [](const Recipient& recipient) { return recipient.reported; });
}

// Somebody may have it already, in this run or by an earlier one.
bool is_in_doubt(const Delivery& delivery) {
  const Consignment& consignment = *delivery.consignment;
  for (std::uint32_t i = 0; i < delivery.size(); ++i) {
    const PriorFate fate = consignment.fate(delivery.begin + i);
    const bool was_tried = fate == PriorFate::resend_apart;
    const Recipient* const recipient = delivery.is_open ? &delivery.recipients[i] : nullptr;
    const bool is_unknown =
        recipient != nullptr && !recipient->decided && recipient->outcome.status == Status::unknown;
    if (was_tried || is_unknown) {
      return true;
    }
  }
  return false;
}

}  // namespace

void Route::meet(std::span<const std::unique_ptr<Route>> routes) {
  for (const auto& route : routes) {
    // One without a weight takes what names it, and nothing else.
    if (route.get() != this && route->gate_.options().weight > 0) {
      others_.emplace_back(*route);
      turns_.add(route->gate_.options().weight);
    }
  }
}

Route::Other::Other(Route& other) : route(&other), producer(other.deliveries_) {}

bool Route::is_left_alone(Instant now) const {
  return !others_.empty() && gate_.circuit().state() == Circuit::State::open && has_refuge(now);
}

// Whether some other endpoint would do better.
bool Route::has_refuge(Instant now) const {
  return !stopping_ && std::any_of(others_.begin(), others_.end(),
                                   [&](const Other& other) { return may_take(other, now); });
}

bool Route::may_take(const Other& other, Instant now) const {
  const EndpointGate& gate = other.route->gate_;
  return gate_.failed() ? !gate.failed() : gate.takes_work(now);
}

// All outcomes of a delivery are told by one thread: what is partly told stays with this worker.
bool Route::may_leave(const Delivery& delivery) const {
  const bool stays_here = is_partly_told(delivery);
  const bool has_place = !stays_here || std::all_of(others_.begin(), others_.end(), [](auto& one) {
    return one.route->limits_.connections_max > 0;
  });
  return has_place && delivery.message->endpoint.empty() && !is_in_doubt(delivery);
}

void Route::watch_circuit(Instant now) {
  if (now < look_at_) {
    return;
  }
  look_at_ = now + circuit_look_every;
  Circuit& circuit = gate_.circuit();
  Instant newest{};
  someone_waits_ = false;
  for (const Connection* const connection : sessions_) {
    newest = std::max(newest, connection->stirred_at());
    someone_waits_ = someone_waits_ || !connection->was_ready() || !connection->idle();
  }
  circuit.stirred(newest);
  const bool is_silent = someone_waits_ && circuit.is_silent(now);
  if ((is_silent || circuit.is_away(now)) && has_refuge(now)) {
    gate_.tell(
        "has not answered for a while: messages that name no endpoint go to the others "
        "until it is back");
  }
  if (circuit.state() != Circuit::State::open) {
    has_left_sessions_ = false;
  } else if (!has_left_sessions_ && has_refuge(now)) {
    leave_idle_sessions(now);
  }
}

// They would be given the next messages, and may be as dead as the others.
void Route::leave_idle_sessions(Instant now) {
  has_left_sessions_ = true;
  trial_session_at_ = now + trial_session_every;
  for (Connection* const connection : std::vector<Connection*>(sessions_)) {
    if (connection->was_ready() && connection->idle()) {
      connection->quit();
      pump_later(*connection);
    }
  }
}

// Whether a session should be opened without a message for it.
bool Route::wants_trial(Instant now) {
  if (now < trial_session_at_) {
    return false;
  }
  trial_session_at_ = now + trial_session_every;
  const bool one_is_opening = std::any_of(sessions_.begin(), sessions_.end(),
                                          [](const auto* one) { return !one->was_ready(); });
  return !one_is_opening && std::any_of(others_.begin(), others_.end(), [](const Other& other) {
    return other.route->is_at_work();
  });
}

bool Route::is_at_work() const {
  return !waiting_.empty() || !deliveries_.empty() || !retries_.empty() ||
         std::any_of(sessions_.begin(), sessions_.end(),
                     [](const auto* one) { return !one->was_ready() || !one->idle(); });
}

// What need not wait here. In the order in which it came.
void Route::let_go(Instant now) {
  const bool is_trying = gate_.circuit().state() == Circuit::State::half_open;
  if (now < let_go_at_ || is_trying || gate_.takes_work(now) || !has_refuge(now)) {
    return;
  }
  let_go_at_ = now + leave_look_every;
  const auto sort_out = [&](Delivery* delivery) {
    may_leave(*delivery) ? leaving_.push_back(delivery) : waiting_.push_back(delivery);
  };
  for (std::size_t unseen = waiting_.size(); unseen > 0; --unseen) {
    Delivery* const delivery = waiting_.front();
    waiting_.pop_front();
    sort_out(delivery);
  }
  std::array<Delivery*, 64> taken;
  std::size_t count = taken.size();
  while (count == taken.size() && leaving_.size() < leaving_max) {
    count = consumer_.take(taken);
    std::for_each(taken.begin(), taken.begin() + static_cast<std::ptrdiff_t>(count), sort_out);
  }
}

// One message for a session that was let in, where nobody who feeds has one for it.
void Route::take_trial(Instant now) {
  if (!waiting_.empty() || !deliveries_.empty() || with_room_.empty()) {
    return;
  }
  for (Other& other : others_) {
    if (other.route->deliveries_.empty() || !gate_.circuit().take_trial(now)) {
      continue;
    }
    std::array<Delivery*, 1> taken;
    if (other.route->consumer_.take(taken) == 1) {
      (may_leave(*taken[0]) ? *this : *other.route).waiting_.push_back(taken[0]);
      return;
    }
  }
}

void Route::hand_over() {
  if (leaving_.empty()) {
    return;
  }
  const Instant now = connection_environment_.io->now();
  std::uint64_t count = 0;
  for (Delivery* const delivery : leaving_) {
    const auto next = turns_.next([&](std::size_t i) { return may_take(others_[i], now); });
    if (!next) {
      waiting_.push_back(delivery);
      continue;
    }
    ++count;
    Other& other = others_[*next];
    if (is_partly_told(*delivery)) {
      other.route->waiting_.push_back(delivery);
    } else {
      other.batch.push_back(delivery);
    }
  }
  leaving_.clear();
  for (Other& other : others_) {
    if (!other.batch.empty()) {
      other.producer.push(other.batch);
      other.batch.clear();
    }
  }
  gate_.circuit().handed_over(count);
  gate_.wake();
}

void Route::hear_answer() {
  if (gate_.circuit().worked()) {
    gate_.tell("answers again, and has its share of the messages");
  }
}

Instant Route::next_look_at() const {
  const bool is_open = gate_.circuit().state() == Circuit::State::open;
  const bool work_waits = !waiting_.empty() || !deliveries_.empty();
  return !others_.empty() && (someone_waits_ || is_open || work_waits) ? look_at_ : never;
}

}  // namespace ringpost::engine
