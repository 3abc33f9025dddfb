// The problem: an endpoint that is away is waited for as long as somebody waits, and nobody says
// when he has stopped waiting. The idea: time runs from the first session that was wanted in vain,
// and who asks much later than a pause has ended had nothing to send: time begins anew. The last
// pause is cut, so that the last try is at the very end. Limits: it is told of tries and pauses,
// and sees none.
#include "engine/endpoint_patience.h"

#include <algorithm>

#include "engine/pause.h"
#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

constexpr std::uint32_t refused_logins_max = 3;
constexpr std::uint32_t doubts_max = 4;

// Whoever waits asks as soon as a pause is over. Who comes so much later had nothing to send.
constexpr Duration gap_min = std::chrono::seconds(30);

}  // namespace

void EndpointPatience::wanted(Instant now) {
  const bool nobody_waited = next_try_at_ != never && now - next_try_at_ > gap_min;
  if (since_ == never || nobody_waited) {
    since_ = now;
    let_in_since_ = false;
    pauses_in_a_row_ = 0;
    rounds_in_a_row_ = 0;
  }
  next_try_at_ = never;
}

void EndpointPatience::progressed() {
  has_worked_ = true;
  refused_logins_ = 0;  // not when let in: some servers refuse the login at MAIL
  since_ = never;
  let_in_since_ = false;
  doubts_in_a_row_ = 0;
  next_try_at_ = never;
  pauses_in_a_row_ = 0;
  rounds_in_a_row_ = 0;
}

void EndpointPatience::let_in() {
  was_let_in_ = true;
  let_in_since_ = true;
}

Duration EndpointPatience::pause_after_round(Instant now) {
  ++rounds_in_a_row_;
  ++pauses_in_a_row_;
  since_ = std::min(since_, now);
  Duration pause = growing_pause(limits::endpoint_pause_first, limits::endpoint_pause_max,
                                 pauses_in_a_row_, now);
  // The last try is at the very end.
  if (const Instant end = ends_at(); end > now) {
    pause = std::min(pause, end - now);
  }
  next_try_at_ = now + pause;
  return pause;
}

Duration EndpointPatience::pause_beside_sessions(Instant now) {
  ++pauses_in_a_row_;
  return growing_pause(limits::endpoint_pause_first, limits::endpoint_pause_max, pauses_in_a_row_,
                       now);
}

bool EndpointPatience::is_over(Instant now) const {
  const bool enough_rounds =
      options_.connect_attempts_max > 0 && rounds_in_a_row_ >= options_.connect_attempts_max;
  // A single session that was let in and hung for minutes is no proof.
  const bool tried_again = rounds_in_a_row_ > 1 || (options_.patience && !let_in_since_);
  const bool too_many_doubts = doubts_in_a_row_ >= doubts_max;
  return enough_rounds || too_many_doubts || (now >= ends_at() && tried_again);
}

Duration EndpointPatience::pause_after_refused_login(Instant now) {
  since_ = std::min(since_, now);
  refused_logins_ = std::min(refused_logins_ + 1, refused_logins_max);
  const Duration pause = growing_pause(limits::refused_login_pause_first,
                                       limits::refused_login_pause_max, refused_logins_, now);
  next_try_at_ = now + pause;
  return pause;
}

bool EndpointPatience::login_is_lost() const {
  return !was_let_in_ || refused_logins_ >= refused_logins_max;
}

Duration EndpointPatience::with_greeting() const {
  constexpr std::uint32_t doublings_max = 5;
  const auto times = 1u << std::min(rounds_in_a_row_, doublings_max);
  return std::min<Duration>(3 * limits::greeting_patience * times, limits::greeting_timeout);
}

Duration EndpointPatience::patience() const {
  return options_.patience.value_or(has_worked_ ? limits::patience : limits::patience_unproven);
}

Instant EndpointPatience::ends_at() const {
  const bool endless = since_ == never || patience() >= never - since_;
  return endless ? never : since_ + patience();
}

Duration EndpointPatience::spent(Instant now) const {
  return since_ == never ? Duration::zero() : std::max(Duration::zero(), now - since_);
}

}  // namespace ringpost::engine
