// The problem: commands that leave together are answered one by one, and how long each answer took
// is known from its command's departure alone. The idea: the places in the output stream that the
// kernel was given, with the moment of each: a command left with the first of them that is not
// before its end. Limits: as exact as the worker's clock, which goes on once a turn; what a server
// says before it was asked counts as no time.
#include "engine/protocol/step_clock.h"

#include <algorithm>

namespace ringpost::protocol {

void StepClock::left(std::uint64_t offset, Instant now) {
  // The dead front is dropped when it makes up half of the store: amortised constant time.
  if (first_ > 16 && first_ * 2 >= departures_.size()) {
    departures_.erase(departures_.begin(),
                      departures_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  departures_.push_back({offset, now});
}

// Nothing: it has not left. Answers come in the order of their commands, so earlier departures are
// asked for no more.
Instant StepClock::left_at(std::uint64_t offset) {
  while (first_ < departures_.size() && departures_[first_].offset < offset) {
    ++first_;
  }
  return first_ < departures_.size() ? departures_[first_].at : Instant{};
}

void StepClock::answered(const Expectation& expectation, Instant now) {
  answered_at_ = now;
  const Instant at =
      expectation.kind == Expected::greeting ? began_at_ : left_at(expectation.sent_offset);
  if (at == Instant{}) {
    return;
  }
  switch (expectation.kind) {
    case Expected::auth:
      login_began_at_ = login_began_at_ == Instant{} ? at : login_began_at_;
      break;
    case Expected::greeting:
    case Expected::ehlo:
    case Expected::helo:
    case Expected::starttls:
    case Expected::mail:
    case Expected::rcpt:
    case Expected::data:
      listener_.on_step(stage_of(expectation.kind), now - at);
      break;
    case Expected::chunk:
    case Expected::end_of_data:
    case Expected::rset:
    case Expected::quit:
    case Expected::trial_mail:
    case Expected::trial_other:
      break;
  }
}

void StepClock::ready() {
  if (login_began_at_ != Instant{}) {
    listener_.on_step(Stage::auth, answered_at_ - login_began_at_);
  }
}

}  // namespace ringpost::protocol
