// How long an endpoint that cannot be used is tried, and when next.
#pragma once

#include <cstdint>

#include <ringpost/base.h>
#include <ringpost/config.h>

namespace ringpost::engine {

// One that has answered for a recipient in this run is worth more patience than one that may be a
// slip of the finger. Only time in which somebody wants a session counts: a run that waits for its
// input for an hour has not waited for its server. Knows no clock and no addresses.
class EndpointPatience {
 public:
  // `options` outlive it.
  explicit EndpointPatience(const EndpointOptions& options) : options_(options) {}

  // Somebody wants a session, and none is there.
  void wanted(Instant now);
  // The last session took messages and ended without a word about any: each further try would leave
  // more of them in doubt.
  void left_in_doubt() { ++doubts_in_a_row_; }
  // Nobody does: a session was there all the time, and idle.
  void nobody_waits() { since_ = never; }
  // A recipient had an answer: whatever was wrong is over.
  void progressed();
  // A session was let in, and logged in where it had to.
  void let_in();

  // Nothing came of any address: the pause before the next try.
  [[nodiscard]] Duration pause_after_round(Instant now);
  // The same while other sessions work, which is nobody's failure.
  [[nodiscard]] Duration pause_beside_sessions(Instant now);
  // Whether it is time to give up. Asked behind pause_after_round().
  [[nodiscard]] bool is_over(Instant now) const;

  // The server refuses a login for good. Before it took one, that is final; afterwards it may be
  // its own trouble, and is tried twice more, with pauses that no account is locked for.
  [[nodiscard]] Duration pause_after_refused_login(Instant now);
  [[nodiscard]] bool login_is_lost() const;
  [[nodiscard]] bool was_let_in() const { return was_let_in_; }

  [[nodiscard]] bool has_worked() const { return has_worked_; }
  // What there is in all.
  [[nodiscard]] Duration patience() const;
  // How long an address is waited for to greet when all others have just failed: longer each round,
  // since behind them there may be nothing, and this one slow on purpose.
  [[nodiscard]] Duration with_greeting() const;
  // When it ends, as long as nothing gets better; `never` while nothing is wrong.
  [[nodiscard]] Instant ends_at() const;
  [[nodiscard]] Duration spent(Instant now) const;

 private:
  const EndpointOptions& options_;
  bool has_worked_ = false;
  bool was_let_in_ = false;
  Instant since_ = never;        // the first session that was wanted in vain
  bool let_in_since_ = false;    // one came about, and nothing came of it
  Instant next_try_at_ = never;  // behind the latest pause
  std::uint32_t pauses_in_a_row_ = 0;
  std::uint32_t rounds_in_a_row_ = 0;
  std::uint32_t refused_logins_ = 0;
  std::uint32_t doubts_in_a_row_ = 0;
};

}  // namespace ringpost::engine
