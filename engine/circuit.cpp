// The problem: an endpoint that goes away shows it in several ways (connections refused, logins
// that fail, sessions that stay silent), and its own sessions may be right to wait for minutes,
// since what they have sent must not be sent twice. Messages that nobody has sent yet need not wait
// with them. The idea: a few moments, written by whoever sees them, and compared when somebody
// asks: how long ago anything stirred, and since when tries fail. Who was only slow is given longer
// the next time. Limits: workers look twice a second, so a moment may be half a second old; a race
// between two of them shifts a share of the work for a moment, and nothing else.
#include "engine/circuit.h"

#include <algorithm>

namespace ringpost::engine {

void Circuit::stirred(Instant at) {
  Instant known = stirred_at_.load(std::memory_order_relaxed);
  while (known < at && !stirred_at_.compare_exchange_weak(known, at, std::memory_order_relaxed)) {
  }
}

bool Circuit::is_silent(Instant now) {
  if (now - stirred_at_.load(std::memory_order_relaxed) < silence_max_.load() || !open()) {
    return false;
  }
  was_silent_.store(true);
  return true;
}

void Circuit::failed(Instant now) {
  Instant none = never;
  static_cast<void>(failing_since_.compare_exchange_strong(none, now));
  if (state() == State::half_open) {
    static_cast<void>(open());
  }
}

// What failed before a session was let in says nothing about that session.
bool Circuit::is_away(Instant now) {
  const Instant since = failing_since_.load(std::memory_order_relaxed);
  return state() == State::closed && since != never && now - since >= limits::failover_after &&
         open();
}

void Circuit::session_ready() {
  State expected = State::open;
  static_cast<void>(state_.compare_exchange_strong(expected, State::half_open));
  was_silent_.store(false);
}

void Circuit::sessions_lost() {
  State expected = State::half_open;
  static_cast<void>(state_.compare_exchange_strong(expected, State::open));
  was_silent_.store(false);
}

// One that was silent and goes on in the same sessions was slow, and not away.
bool Circuit::worked() {
  failing_since_.store(never, std::memory_order_relaxed);
  if (state_.exchange(State::closed) == State::closed) {
    return false;
  }
  if (was_silent_.exchange(false)) {
    silence_max_.store(std::min<Duration>(2 * silence_max_.load(), limits::failover_after_max));
  }
  return true;
}

bool Circuit::take_trial(Instant now) {
  constexpr Duration pause = std::chrono::seconds(1);
  Instant last = trial_at_.load(std::memory_order_relaxed);
  return state() == State::half_open && now - last >= pause &&
         trial_at_.compare_exchange_strong(last, now);
}

bool Circuit::open() { return state_.exchange(State::open) != State::open; }

}  // namespace ringpost::engine
