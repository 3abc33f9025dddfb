// The problem: SMTP does not say how much an account may send, a provider may change its mind, and
// a rate that is halved and crept up again averages three quarters of the limit. The idea: the
// limit is read off. A server that counts in a sliding second has accepted exactly its limit in the
// second before it refuses; so after a first refusal nothing is taken for a second, and then that
// much a second. Where it is refused again (a bucket with depth accepts more at first, a fixed
// second can be met in two), a little more than was read off is sent for two seconds, and what is
// accepted of it is the rate. What holds is held: nothing above it is tried, but for one step
// behind a search, since a reading may be one short. Where a limit has moved down, a little more is
// tried every few seconds, and what passes is doubled, up to the limit that was there before.
//
// Readings are made when all answers are there: a refusal may overtake what was accepted before it.
// Answers that take longer than three seconds are too late for that.
// Limits: a limit that is raised above all that ever held is not noticed; one by the minute or hour
// that nobody has configured is met again and again, at a unit each two seconds in between.
#include "engine/rate_control.h"

#include <algorithm>
#include <cmath>

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

constexpr Duration second = 1s;
// From 4/s, 500/s is met in the seventh second.
constexpr double search_first = 4;
constexpr Duration growth_interval = 125ms;
constexpr double growth_needs_demand = 0.6;
// Whoever is not held back for so long has no limit that matters.
constexpr Duration search_max = 60s;
constexpr std::uint64_t press_percent = 115;
constexpr std::uint64_t nearly_percent = 94;
constexpr Duration press_length = 2 * second;
constexpr Duration probe_pause_min = 3s;
constexpr Duration probe_pause_max = 5s;
constexpr Duration probe_length = 1250ms;
// A bucket of five seconds' depth lasts so long at a quarter more than its rate.
constexpr Duration confirmed_after = 20s;
constexpr double bucket_seconds_max = 5;
constexpr Duration calm_min = 3s;
constexpr Duration climb_proven_after = 30s;
constexpr Duration rest_again_after = 15s;
constexpr std::uint32_t failed_climbs_max = 3;
constexpr std::uint32_t confirmations_max = 3;
constexpr Duration closed_interval = 2s;
// Below it a second holds too few units to read anything off.
constexpr double slow_below = 4;
constexpr double slow_floor = 0.25;
constexpr std::uint64_t open_refusals_share = 200;
// Bounded by what the history holds.
constexpr Duration settling_max = 3500ms;
constexpr Duration answers_look_back = 3s;

}  // namespace

RateControl::RateControl(const RateControlOptions& options, Instant now)
    : since_(now), probe_pause_(probe_pause_min), calm_since_(now) {
  const std::optional<RateWindow> known = options.configured ? options.configured : options.learnt;
  is_configured_ = options.configured.has_value();
  if (known && known->per_second() < slow_below) {
    slow_ceiling_ = known->per_second();
    slow_rate_ = slow_ceiling_;
    state_ = State::slow;
  } else if (known) {
    ceiling_ = static_cast<std::uint64_t>(std::ceil(known->per_second()));
    is_confirmed_ = true;
    hold(ceiling_, now);
  } else if (options.searches) {
    growth_ = search_first;
    level_ = static_cast<std::uint64_t>(search_first);
    enter(State::search, now, growth_interval);
  }
}

RateNow RateControl::rate(Instant now) {
  for (int steps = 0; steps < 100 && (now >= until_ || now >= judge_at_); ++steps) {
    step(now);
  }
  switch (state_) {
    case State::open:
      return {};
    case State::rest:
    case State::wait:
      return {RateWindow{std::max<std::uint64_t>(level_, 1), second}, until_};
    case State::closed:
      return {RateWindow{1, closed_interval}};
    case State::slow: {
      if (is_configured_ && slow_rate_ >= slow_ceiling_) {
        return {};
      }
      return {RateWindow{1, Duration(std::llround(1e9 / slow_rate_))}};
    }
    case State::hold:
      if (is_configured_ && limit_ >= ceiling_) {
        return {};
      }
      break;
    case State::search:
    case State::verify:
    case State::press:
    case State::measure:
    case State::weigh:
    case State::probe:
    case State::probed:
      break;
  }
  return {RateWindow{std::max<std::uint64_t>(level_, 1), second}};
}

void RateControl::taken(std::uint64_t units, Instant now) { taken_.add(now, units); }

void RateControl::accepted(std::uint64_t units, Instant taken_at, Instant now) {
  accepted_.add(taken_at, units);
  const Duration reply = now - taken_at;
  reply_time_ = reply_time_ == Duration::zero() ? reply : reply_time_ + (reply - reply_time_) / 8;
  if (state_ == State::closed && taken_at >= since_) {
    reopen(now);
  } else if (state_ == State::slow) {
    slow_rate_ = std::min(slow_ceiling_, slow_rate_ * 2);
  }
}

void RateControl::slowed_down(std::uint64_t units, Instant taken_at, Instant now) {
  refused_.add(taken_at, units);
  refusals_.add(taken_at, 1);
  const Duration calm = now - std::max(calm_since_, rested_at_);
  if (state_ == State::hold && calm > calm_min) {
    calm_length_ = calm;
  }
  calm_since_ = now;
  if (taken_at < since_ && state_ != State::rest) {
    return;  // taken before the last decision, which knew as much
  }
  const bool is_first = first_refused_ == never;
  first_refused_ = std::min(first_refused_, taken_at);
  switch (state_) {
    case State::open: {
      const std::uint64_t refused = refused_.sum(taken_at - second, taken_at);
      if (refusals_.sum(taken_at - second, taken_at) >= 2 &&
          refused * open_refusals_share > taken_.sum(taken_at - second, taken_at)) {
        begin_rest(now);
      }
      break;
    }
    case State::search:
      if (refusals_.sum(taken_at - second, taken_at) >= 2) {
        begin_rest(now);
      }
      break;
    case State::verify:
      read_from_ = std::max(since_, taken_at - second);
      read_to_ = taken_at;
      enter(State::wait, now, settling());
      break;
    case State::press:
      enter(State::measure, now, press_length);
      break;
    case State::hold:
      if (is_first) {
        judge_at_ = now + settling();
      }
      if (has_many_refusals()) {
        judge_at_ = now;
      }
      break;
    // That is the answer. Servers that count what they refuse, too, would refuse all that follows.
    case State::probe:
      end_probe(now);
      break;
    case State::slow:
      slow_rate_ = std::max(std::min(slow_floor, slow_ceiling_), slow_rate_ / 2);
      break;
    case State::rest:
    case State::wait:
    case State::measure:
    case State::weigh:
    case State::probed:
    case State::closed:
      break;
  }
}

std::optional<RateWindow> RateControl::found() const {
  if (is_configured_ || ceiling_ == 0 || !is_confirmed_) {
    return std::nullopt;
  }
  return RateWindow{ceiling_, second};
}

bool RateControl::is_throttled() const {
  return state_ == State::slow ? slow_rate_ < slow_ceiling_
                               : state_ == State::closed || (ceiling_ > 0 && limit_ < ceiling_);
}

// ---- What follows when a state has lasted its time

void RateControl::step(Instant now) {
  if (now >= judge_at_) {
    judge(now);
    return;
  }
  switch (state_) {
    case State::search:
      grow(now);
      break;
    case State::rest:
      end_rest(now);
      break;
    case State::verify:
      hold(level_, now);
      break;
    case State::wait:
      end_wait(now);
      break;
    case State::press:
      hold(is_confirmed_ ? std::min(level_, ceiling_) : level_, now);
      break;
    case State::measure:
      level_ = reading_;
      until_ = now + settling();
      state_ = State::weigh;
      break;
    case State::weigh:
      end_weighing(now);
      break;
    case State::hold:
      end_hold(now);
      break;
    case State::probe:
      end_probe(now);
      break;
    case State::probed:
      end_probed(now);
      break;
    case State::open:
    case State::closed:
    case State::slow:
      until_ = never;
      break;
  }
}

void RateControl::enter(State state, Instant now, Duration length) {
  state_ = state;
  since_ = now;
  until_ = length == Duration::max() ? never : now + length;
  first_refused_ = never;
  judge_at_ = never;
}

void RateControl::grow(Instant now) {
  const double used = static_cast<double>(taken_.sum(now - second / 2, now));
  if (reply_time_ > Duration::zero() && used >= growth_ / 2 * growth_needs_demand) {
    // Doubled in a second, or in the time of an answer where that is longer.
    const double doubling = std::max(1.0, std::chrono::duration<double>(reply_time_).count());
    growth_ *= std::exp2(std::chrono::duration<double>(growth_interval).count() / doubling);
    level_ = static_cast<std::uint64_t>(growth_);
  }
  until_ += growth_interval;
  if (now - since_ > search_max) {
    enter(State::open, now, Duration::max());
  } else if (until_ <= now) {
    until_ = now + growth_interval;
  }
}

void RateControl::begin_rest(Instant now) {
  const Instant refused = first_refused_;
  const State before = state_;
  rested_at_ = now;
  enter(State::rest, now, std::max(second + 20ms, settling()));
  if (before == State::search || before == State::open) {
    first_refused_ = refused;
    limit_ = 0;
  }
}

void RateControl::end_rest(Instant now) {
  if (limit_ == 0) {
    // Behind a search: what any refusal leaves to read.
    level_ = 0;
    for (Instant at = std::max(first_refused_, since_ - answers_look_back); at <= since_;
         at += 1ms) {
      if (refused_.sum(at - 1ms, at) > 0) {
        level_ = std::max(level_, reading_before(at));
      }
    }
    if (level_ == 0) {
      close(now);
      return;
    }
    ceiling_ = level_;
    confirmations_ = confirmations_max;
  } else {
    level_ = limit_;
  }
  enter(State::verify, now, second + settling());
}

void RateControl::end_wait(Instant now) {
  // Behind an empty window there is nothing but what the limit allows.
  reading_ = accepted_.sum(read_from_, read_to_);
  if (reading_ == 0) {
    close(now);
    return;
  }
  if (reading_ * 100 >= level_ * nearly_percent) {
    // Read off a little too high before, by what differs on the way.
    lower_ceiling(reading_, now);
    hold(reading_, now);
    return;
  }
  level_ = std::max(reading_ + 1, reading_ * press_percent / 100);
  enter(State::press, now, press_length);
}

void RateControl::end_weighing(Instant now) {
  const std::uint64_t units = accepted_.sum(since_, since_ + press_length);
  const std::uint64_t rate = (units + 1) * second.count() / press_length.count();
  // Nothing was read off before, so that it may be a limit that has moved far.
  if (measures_at_once_ && rate * 2 <= reading_) {
    measures_at_once_ = false;
    begin_rest(now);
    return;
  }
  measures_at_once_ = false;
  // Servers that count what they refuse, too, accept next to nothing under pressure.
  const std::uint64_t limit = rate * 2 > reading_ ? std::max<std::uint64_t>(rate, 1) : reading_;
  tell_move(limit);
  if (is_confirmed_) {
    lower_ceiling(limit, now);
  } else {
    ceiling_ = limit;
  }
  hold(std::min(limit, ceiling_), now);
}

void RateControl::hold(std::uint64_t limit, Instant now) {
  limit_ = limit;
  level_ = limit;
  ceiling_ = std::max(ceiling_, limit);
  enter(State::hold, now, probe_pause_);
  if (confirmations_ > 0) {
    until_ = now;
  }
}

void RateControl::end_hold(Instant now) {
  if (now - calm_since_ >= confirmed_after && !is_confirmed_ && confirmations_ == 0) {
    is_confirmed_ = true;
  }
  if (limit_ < ceiling_ || confirmations_ > 0) {
    begin_probe(now);
  } else {
    until_ = now + probe_pause_min;
  }
}

std::uint64_t RateControl::probe_level() const {
  if (confirmations_ > 0) {
    return limit_ + std::max<std::uint64_t>(1, limit_ / 100);
  }
  const std::uint64_t little = limit_ + std::max<std::uint64_t>(1, limit_ / 50);
  return std::min(probe_step_ == 0 ? little : std::max(little, 2 * limit_), ceiling_);
}

void RateControl::begin_probe(Instant now) {
  const std::uint64_t level = probe_level();
  enter(State::probe, now, probe_length);
  level_ = level;
}

void RateControl::end_probe(Instant now) {
  level_ = limit_;
  until_ = now + settling();
  state_ = State::probed;
}

void RateControl::end_probed(Instant now) {
  const std::uint64_t tried = probe_level();
  constexpr double length = std::chrono::duration<double>(probe_length).count();
  const bool was_used = static_cast<double>(taken_.sum(since_, since_ + probe_length)) + 1.5 >=
                        0.93 * length * static_cast<double>(tried);
  const bool was_confirming = confirmations_ > 0;
  confirmations_ -= was_confirming ? 1 : 0;
  if (first_refused_ == never && was_used) {
    probe_step_ += was_confirming ? 0 : 1;
    probe_pause_ = probe_pause_min;
    if (was_confirming) {
      ceiling_ = tried;
    }
    climbed_at_ = now;
    hold(tried, now);
    if (limit_ < ceiling_ || confirmations_ > 0) {
      until_ = now;
    }
    return;
  }
  if (first_refused_ != never) {
    confirmations_ = 0;
    if (probe_step_ > 0) {
      limit_ = std::max(limit_, std::min(reading_before(first_refused_), tried - 1));
      probe_pause_ = std::min(probe_pause_max, probe_pause_ + 1s);
      lower_ceiling(limit_, now);
    }
  }
  probe_step_ = 0;
  hold(limit_, now);
}

// ---- A refusal at a rate that held

void RateControl::judge(Instant now) {
  const std::uint64_t refused = refused_since(since_);
  const bool has_many = has_many_refusals();
  const bool has_one = refusals_since(since_) <= 1;
  const Instant first = first_refused_;
  judge_at_ = never;
  first_refused_ = never;
  if (has_one || refused * open_refusals_share < taken_.sum(now - 2 * second, now)) {
    return;
  }
  if (has_many || limit_ <= 2) {
    probe_step_ = 0;
    if (now - rested_at_ < rest_again_after) {
      // It held behind the last rest, and does not go on to: a bucket that the rest has filled.
      reading_ = limit_;
      measures_at_once_ = true;
      enter(State::measure, now, press_length);
      return;
    }
    begin_rest(now);
    return;
  }
  // A few: the limit is a little lower.
  const std::uint64_t reading = reading_before(first);
  const std::uint64_t lower = std::max(std::min(limit_ - 1, reading), limit_ * 9 / 10);
  lower_ceiling(std::max(reading, lower), now);
  hold(std::max<std::uint64_t>(lower, 1), now);
}

// A limit that has only just been found was read a little too high, and so was one that does not
// hold when it is tried again and again: a bucket lets more pass for a while. Else it has moved,
// and is remembered.
void RateControl::lower_ceiling(std::uint64_t limit, Instant now) {
  tell_move(limit);
  if (!is_confirmed_) {
    ceiling_ = std::min(ceiling_, limit);
  } else if (now - climbed_at_ > climb_proven_after) {
    failed_climbs_ = 0;
  } else if (++failed_climbs_ >= failed_climbs_max && !is_configured_ && limit < ceiling_) {
    ceiling_ -= (ceiling_ - limit) / 2;
  }
}

// More than any bucket holds has passed above what is the limit now: it has moved.
void RateControl::tell_move(std::uint64_t limit) {
  if (limit < ceiling_) {
    const double passed =
        std::chrono::duration<double>(calm_length_).count() * static_cast<double>(ceiling_ - limit);
    is_confirmed_ = is_confirmed_ || passed > bucket_seconds_max * static_cast<double>(limit);
  }
}

void RateControl::close(Instant now) {
  level_ = 1;
  enter(State::closed, now, Duration::max());
}

void RateControl::reopen(Instant now) {
  if (ceiling_ == 0) {
    growth_ = search_first;
    level_ = static_cast<std::uint64_t>(search_first);
    enter(State::search, now, growth_interval);
    return;
  }
  is_confirmed_ = true;
  probe_step_ = 1;
  hold(std::max<std::uint64_t>(1, ceiling_ / 4), now);
  until_ = now;
}

// ---- What can be read

bool RateControl::has_many_refusals() const {
  return refusals_since(since_) >= 3 && refused_since(since_) >= limit_ / 10;
}

// The time in which what was taken before is answered.
Duration RateControl::settling() const {
  return std::clamp<Duration>(2 * reply_time_ + 50ms, 100ms, settling_max);
}

std::uint64_t RateControl::reading_before(Instant refused) const {
  return accepted_.sum(refused - second, refused);
}

std::uint64_t RateControl::refused_since(Instant begin) const {
  return refused_.sum(std::max(begin, calm_since_ - 2 * second), calm_since_);
}

std::uint64_t RateControl::refusals_since(Instant begin) const {
  return refusals_.sum(std::max(begin, calm_since_ - 2 * second), calm_since_);
}

}  // namespace ringpost::engine
