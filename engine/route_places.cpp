// The problem: a session ends by a limit of the server's, of messages, age or idle time, and while
// the next one is opened its place is empty. The idea: `connections` are places. Whoever stands in
// one is given messages; who has had its last makes room for one in reserve, and reserves are
// opened when succession.h says, as long as there is work. Where no limit is known there are no
// reserves, and nothing here costs anything. Limits: a worker has places of its own; a server that
// refuses one session too many has no reserves opened for a minute.
#include <algorithm>

#include "engine/route.h"
#include <ringpost/limits.h>

namespace ringpost::engine {

// Those that messages may be given to, now or soon.
std::uint32_t Route::working() const {
  return static_cast<std::uint32_t>(sessions_.size()) - going_;
}

// One more that works.
bool Route::may_open() const {
  const std::size_t sessions = sessions_.size();
  return working() < places_ && sessions < limits_.sockets_max &&
         (sessions < places_ || gate_.allows_spares(connection_environment_.io->now()));
}

// Where a rate is to be kept up with, and all sessions were at work for nearly all of a while
// without coming up to it: half as many more, again and again. By Little's law that ends at the
// rate times the time that a message takes, and a fifth more.
void Route::grow(Instant now) {
  constexpr Duration window = std::chrono::milliseconds(250);
  constexpr int shares = 10;
  constexpr int shares_short_min = 8;
  short_for_ += is_short_ ? now - looked_at_ : Duration::zero();
  looked_at_ = now;
  const bool work_waits = !waiting_.empty() || !deliveries_.empty();
  is_short_ = work_waits && !rate_is_used_up_ && with_room_.empty() && reserve_.empty() &&
              ready_ >= places_ && !gate_.rate().unlimited();
  const Duration looked_for = now - window_since_;
  if (looked_for < window) {
    return;
  }
  // Behind a long sleep it says nothing.
  if (looked_for < 2 * window && short_for_ * shares >= looked_for * shares_short_min &&
      now >= grow_at_) {
    places_ = std::min(limits_.sockets_max, places_ + places_ / 2 + 1);
    busy_peak_ = places_;
    busy_since_ = now;
  }
  window_since_ = now;
  short_for_ = Duration::zero();
  give_back_places(now);
}

// Those that nobody stood in for seconds, but for a quarter more than were needed: a rate has gone
// down, or the server answers sooner. Whoever is too many then has nothing to do, and says QUIT.
void Route::give_back_places(Instant now) {
  constexpr Duration looked_for = std::chrono::seconds(10);
  const auto busy = static_cast<std::uint32_t>(
      std::count_if(sessions_.begin(), sessions_.end(), [](const Connection* connection) {
        return !connection->was_ready() || connection->deliveries > 0;
      }));
  busy_peak_ = std::max(busy_peak_, busy);
  if (now - busy_since_ < looked_for) {
    return;
  }
  const std::uint32_t needed = std::max(limits_.connections_max, busy_peak_ + busy_peak_ / 4 + 1);
  busy_peak_ = busy;
  busy_since_ = now;
  if (needed >= places_) {
    return;
  }
  places_ = needed;
  level_ = std::min(level_, places_);
  for (Connection* const connection : std::vector<Connection*>(sessions_)) {
    if (working() <= places_) {
      break;
    }
    if (connection->was_ready() && !connection->is_going && connection->idle()) {
      leave(*connection);
    }
  }
}

// It has nothing to do, and is given nothing more.
void Route::leave(Connection& connection) {
  with_room_.erase(&connection);
  reserve_.erase(&connection);
  connection.listed = false;
  connection.in_reserve = false;
  connection.quit();
  note_spent(connection);
  pump_later(connection);
}

// A session was refused beside others that work: it was one too many, for a while.
void Route::shrink(Instant now) {
  constexpr Duration pause = std::chrono::seconds(30);
  if (places_ > limits_.connections_max) {
    places_ = std::max(limits_.connections_max, ready_);
    grow_at_ = now + pause;
  }
}

void Route::note_given(Connection& connection, Instant now) {
  ++in_flight_;
  ++connection.deliveries;
  if (connection.messages_max() == UINT64_MAX) {
    return;
  }
  sessions_end_ = true;
  messages_max_ = connection.messages_max();
  if (connection.given_at != Instant{}) {
    succession_.given(now - connection.given_at);
  }
  connection.given_at = now;
}

void Route::note_done(Connection& connection) {
  --in_flight_;
  --connection.deliveries;
  connection.done_at = connection_environment_.io->now();
  note_spent(connection);
  relieve(connection);
}

void Route::note_spent(Connection& connection) {
  if (!connection.is_going && connection.was_ready() && connection.is_spent()) {
    connection.is_going = true;
    ++going_;
    relieve(connection);
  }
}

// Whoever has had its last message makes room for another: when that is done; in groups when its
// content goes out, since the commands of a next one would leave beside it; and where sessions have
// several in flight at once, as long as all together have no more than they might have.
void Route::relieve(Connection& connection) {
  if (!connection.on_duty || !connection.is_going) {
    return;
  }
  const EndpointOptions& options = gate_.options();
  std::size_t depth = 0;
  std::size_t last_ones = 0;
  if (connection.pipelining() == protocol::Pipelining::flights) {
    depth = options.messages_in_flight_max > 0 ? options.messages_in_flight_max
                                               : limits::flight_messages_max;
  } else if (connection.pipelining() == protocol::Pipelining::across) {
    depth = 2;
    last_ones = 1;
  }
  if (connection.deliveries <= last_ones || in_flight_ < depth * places_) {
    connection.on_duty = false;
    --on_duty_;
  }
}

// The next in reserve. False: nobody is needed, or there is none.
bool Route::put_on_duty() {
  while (on_duty_ < places_ && !reserve_.empty()) {
    Connection& connection = *reserve_.front();
    reserve_.pop_front();
    connection.in_reserve = false;
    if (connection.wants_message()) {
      connection.on_duty = true;
      ++on_duty_;
      list(connection);
      return true;
    }
  }
  return false;
}

// Before the server does it: those that are too old, and those that had nothing to do for long.
void Route::retire_sessions(Instant now) {
  if (!ages_ || now < look_at_sessions_at_) {
    return;
  }
  const EndpointOptions& options = gate_.options();
  look_at_sessions_at_ = never;
  const auto is_over = [&](Duration limit, Instant since) {
    if (limit == Duration::zero()) {
      return false;
    }
    const Instant end = since + ended_before(limit);
    if (end > now) {
      look_at_sessions_at_ = std::min(look_at_sessions_at_, end);
    }
    return end <= now;
  };
  for (Connection* const connection : std::vector<Connection*>(sessions_)) {
    if (!connection->was_ready() || connection->is_going) {
      continue;
    }
    const Instant since =
        connection->idle() ? std::max(connection->ready_at(), connection->done_at) : now;
    const bool is_idle = is_over(options.connection_idle_max, since);
    if (!is_idle && !is_over(options.connection_age_max, connection->ready_at())) {
      continue;
    }
    // One that nobody needed has no successor.
    level_ -= is_idle && level_ > 0 ? 1u : 0u;
    leave(*connection);
  }
}

// As many as are wanted, but no more logins at a time than half as many again as work: many that
// are refused together lock an account. More and more only while these are let in and do not
// suffice.
void Route::open_successors(Instant now) {
  constexpr Duration step = std::chrono::milliseconds(500);
  constexpr std::uint32_t steps_max = 6;
  if (sessions_.size() >= limits_.sockets_max || !lacks_messages_room()) {
    return;
  }
  const bool is_short = with_room_.empty() && reserve_.empty();
  if (is_short && now >= next_step_at_ && steps_ < steps_max) {
    steps_ += next_step_at_ == Instant{} ? 0u : 1u;
    next_step_at_ = now + step;
  }
  const std::uint64_t wanted = level_ + successors_due(now);
  const std::size_t openings_max = std::size_t{level_ + level_ / 2} << steps_;
  constexpr int opened_a_turn = 16;
  for (int i = 0; i < opened_a_turn; ++i) {
    const std::size_t sessions = sessions_.size();
    const bool has_room =
        sessions < limits_.sockets_max && (sessions < places_ || gate_.allows_spares(now));
    if (working() >= wanted || !has_room || sessions - ready_ >= openings_max ||
        !open_session(now)) {
      return;
    }
  }
}

// Whether more messages wait than the sessions that are there, and those under way, may have.
bool Route::lacks_messages_room() const {
  if (messages_max_ == UINT64_MAX) {
    return true;  // they end by age, whatever they have had
  }
  std::uint64_t waiting = waiting_.size() + deliveries_.size();
  for (const Connection* const connection : sessions_) {
    const std::uint64_t room = !connection->was_ready() ? messages_max_
                               : connection->is_going   ? 0
                                                        : connection->messages_left();
    if (room >= waiting) {
      return false;
    }
    waiting -= room;
  }
  return true;
}

std::uint64_t Route::successors_due(Instant now) const {
  const Duration age_max = gate_.options().connection_age_max;
  std::uint64_t due = 0;
  std::uint32_t counted = 0;
  SessionOutlook gone;  // of a place whose session has left
  gone.messages_left = 0;
  gone.messages_max = messages_max_;
  for (const Connection* const connection : sessions_) {
    if (counted == level_) {
      break;
    }
    if (!connection->was_ready() || connection->is_going) {
      continue;
    }
    SessionOutlook outlook;
    outlook.messages_max = connection->messages_max();
    outlook.messages_left = connection->messages_left();
    if (age_max > Duration::zero()) {
      outlook.time_left = connection->ready_at() + ended_before(age_max) - now;
    }
    due += succession_.successors(outlook);
    ++counted;
  }
  // The first of its successors stands in its place.
  return due + (level_ - counted) * (succession_.successors(gone) - std::uint64_t{1});
}

}  // namespace ringpost::engine
