// The rate of an endpoint whose limit is not known, or moves.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/rate_history.h"
#include <ringpost/base.h>
#include <ringpost/quota.h>

namespace ringpost::engine {

struct RateControlOptions {
  // Of the configuration: other parts keep to it, and this one never asks for more.
  std::optional<RateWindow> configured = {};
  // Found out by an earlier run.
  std::optional<RateWindow> learnt = {};
  // Nothing is known, and there is a limit: it is looked for from below, so that it is met once and
  // gently. Else everything may go until the server says otherwise.
  bool searches = false;
};

struct RateNow {
  std::optional<RateWindow> window;  // nothing: as much as there is, or as is configured
  Instant not_before = Instant::min();
};

// Told what was taken and what became of it; says what may be taken now. Knows no clock. One for
// an endpoint; units are whatever the provider's rate counts.
class RateControl {
 public:
  RateControl(const RateControlOptions& options, Instant now);

  // Asked before each take, or when changes_at() has come.
  [[nodiscard]] RateNow rate(Instant now);
  [[nodiscard]] Instant changes_at() const { return std::min(until_, judge_at_); }

  void taken(std::uint64_t units, Instant now);
  // The server answered for what was taken then.
  void accepted(std::uint64_t units, Instant taken_at, Instant now);
  // It said that this was too much, too fast.
  void slowed_down(std::uint64_t units, Instant taken_at, Instant now);

  // The limit that was found out, and held since.
  [[nodiscard]] std::optional<RateWindow> found() const;
  // Less goes than the limit that was there before.
  [[nodiscard]] bool is_throttled() const;

 private:
  enum class State : std::uint8_t {
    open,     // as much as there is
    search,   // more each moment
    rest,     // nothing, until the windows of the server are empty and all answers are there
    verify,   // at the limit that was read off, from an empty window
    wait,     // nothing, until all answers are there
    press,    // a little more than was read off, until the server says no again
    measure,  // the same, and what it accepts is its rate
    weigh,    // at what was read off, until all answers are there
    hold,     // at the limit
    probe,    // a little above it, below what it once was
    probed,   // at the limit, until all answers are there
    closed,   // nothing goes; one unit now and then
    slow,     // a limit of few units a minute, halved and doubled
  };

  void step(Instant now);
  void enter(State state, Instant now, Duration length);
  void grow(Instant now);
  void begin_rest(Instant now);
  void end_rest(Instant now);
  void end_wait(Instant now);
  void end_weighing(Instant now);
  void hold(std::uint64_t limit, Instant now);
  void end_hold(Instant now);
  void begin_probe(Instant now);
  void end_probe(Instant now);
  void end_probed(Instant now);
  void judge(Instant now);
  void close(Instant now);
  void reopen(Instant now);
  [[nodiscard]] Duration settling() const;
  [[nodiscard]] std::uint64_t reading_before(Instant refused) const;
  [[nodiscard]] std::uint64_t refused_since(Instant begin) const;
  [[nodiscard]] std::uint64_t refusals_since(Instant begin) const;
  [[nodiscard]] std::uint64_t probe_level() const;
  void tell_move(std::uint64_t limit);
  void lower_ceiling(std::uint64_t limit, Instant now);
  [[nodiscard]] bool has_many_refusals() const;

  bool is_configured_ = false;
  double slow_ceiling_ = 0;  // units a second
  double slow_rate_ = 0;

  State state_ = State::open;
  Instant since_ = Instant::min();
  Instant until_ = never;
  double growth_ = 0;          // the level of a search, before it is a whole number
  std::uint64_t level_ = 0;    // units in a second that may be taken now
  std::uint64_t limit_ = 0;    // that hold
  std::uint64_t ceiling_ = 0;  // the most that ever held; none: not known
  bool is_confirmed_ = false;  // the ceiling: it held for some seconds
  std::uint32_t confirmations_ = 0;
  std::uint64_t reading_ = 0;  // what was accepted in the second before a refusal
  Instant read_from_;
  Instant read_to_;
  std::uint32_t probe_step_ = 0;
  Duration probe_pause_;
  Instant judge_at_ = never;
  Instant first_refused_ = never;  // of this state
  Instant calm_since_;             // the last refusal
  Duration calm_length_{};         // how long there was none before
  Instant rested_at_;
  bool measures_at_once_ = false;
  Instant climbed_at_;
  std::uint32_t failed_climbs_ = 0;
  Duration reply_time_ = Duration::zero();
  RateHistory taken_;
  RateHistory accepted_;
  RateHistory refused_;
  RateHistory refusals_;  // answers, whatever they were for
};

}  // namespace ringpost::engine
