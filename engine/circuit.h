// Whether an endpoint should be given work that others could do as well.
#pragma once

#include <atomic>
#include <cstdint>

#include <ringpost/base.h>
#include <ringpost/limits.h>

namespace ringpost::engine {

// A circuit breaker, as far as it says where messages go. It ends no session and decides no fate:
// to be wrong about an endpoint costs it a share of the work, and nobody a message.
//
// Closed: the endpoint has its share. Open: it has not answered for a while, and gets no work but
// what names it. Half open: a session was let in again, and one message at a time tries what more
// it can do.
//
// Thread-safe. All workers ask it, and whoever feeds them; nobody does where there is one endpoint
// only.
class Circuit {
 public:
  enum class State : std::uint8_t { closed, open, half_open };

  [[nodiscard]] State state() const { return state_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool takes_work(Instant now) const {
    return state() == State::closed && now >= rests_until_.load(std::memory_order_relaxed);
  }

  // ---- What sessions tell

  // Something came from the server, or was taken by it, at that moment.
  void stirred(Instant at);
  // Nothing has for too long, although somebody waits: true where that opens it.
  [[nodiscard]] bool is_silent(Instant now);
  // A try has failed, and no session is there that works.
  void failed(Instant now);
  // That was so for too long: true where it opens it.
  [[nodiscard]] bool is_away(Instant now);
  // A session was let in.
  void session_ready();
  // The last one has ended.
  void sessions_lost();
  // A recipient was answered for, whatever the answer: true where that closes it.
  [[nodiscard]] bool worked();
  // It is to be left alone until then.
  void rests(Instant until) { rests_until_.store(until, std::memory_order_relaxed); }

  // ---- What is done about it

  // Whether the caller may give a half open one a message to try: one a second.
  [[nodiscard]] bool take_trial(Instant now);
  // Deliveries that went to other endpoints.
  void handed_over(std::uint64_t count) {
    handed_over_.fetch_add(count, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t handed_over() const {
    return handed_over_.load(std::memory_order_relaxed);
  }

 private:
  [[nodiscard]] bool open();

  std::atomic<State> state_{State::closed};
  std::atomic<Instant> rests_until_{Instant{}};
  std::atomic<Instant> stirred_at_{Instant{}};
  std::atomic<Instant> failing_since_{never};
  std::atomic<Instant> trial_at_{Instant{}};
  std::atomic<Duration> silence_max_{limits::failover_after};
  std::atomic<bool> was_silent_{false};  // that, and nothing else, has opened it
  std::atomic<std::uint64_t> handed_over_{0};
};

}  // namespace ringpost::engine
