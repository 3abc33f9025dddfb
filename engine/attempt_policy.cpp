// Problem: a bad answer may be about the recipient, the message, the session or the moment, and
// only what was before tells which. A message that is tried again too often annoys, too soon is
// lost, and one that kills sessions takes its neighbours with it.
//
// Idea: each verdict is weighed alone, with the recipient's history and the endpoint's rules as
// values, so that every case is a row of a table (attempt_policy_test, and attempts.rows for whole
// rows of attempts). Whose matter a reply is, has been ruled before (protocol/reply_rules).
//
// Limits: what is true of the endpoint as a whole is EndpointMood's, as far as verdicts on messages
// tell it, and EndpointGate's, as far as sessions do.
#include "engine/attempt_policy.h"

#include <algorithm>
#include <functional>

#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

using protocol::Verdict;
using protocol::WaitEnd;

// So often a message is told for nothing that it came too fast: the rate goes down meanwhile, and
// what is said of one message again and again is its own matter.
constexpr std::uint32_t rate_refusals_max = 32;
// Whoever is told twice waits, so that others are asked and not always the same one; not for long,
// since the rate is kept by another.
constexpr std::uint32_t rate_pauses_max = 3;

// Losses that are not the message's doing, so that it may try again for nothing. None of them comes
// without some recipient's final outcome, so there is an end to them. (Nor is there an endless row
// of ways to fall back to: those cost no attempt, either.)
bool is_free(const Verdict& verdict, const AttemptHistory& history) {
  // The session had done its work and ended before it said a word about this message, as servers do
  // that take so many messages a session.
  const bool ended_before_it = history.session_progressed && verdict.stage == Stage::mail &&
                               !verdict.reason.empty() && !verdict.wants_pause;
  const bool is_worn_out = verdict.too_fast && history.rate_refusals >= rate_refusals_max;
  // In that time the whole window has moved, so the words are about something else.
  const bool has_moved =
      verdict.quota_window > Duration::zero() && history.has_rested_for >= verdict.quota_window;
  if (has_moved) {
    return false;
  }
  return verdict.may_retry && !is_worn_out && (!verdict.counts_as_attempt || ended_before_it);
}

// Between 0 and 1, well spread for salts that are alike.
double chance_of(std::string_view salt, std::uint32_t attempts_made) {
  std::uint64_t bits = std::hash<std::string_view>{}(salt) + attempts_made;
  bits = (bits ^ (bits >> 33)) * 0xff51afd7ed558ccdull;
  bits = (bits ^ (bits >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return static_cast<double>((bits ^ (bits >> 33)) >> 11) * 0x1.0p-53;
}

}  // namespace

Decision decide_further(const Verdict& verdict, const AttemptHistory& history,
                        const AttemptRules& rules, std::string_view salt) {
  Decision decision;
  const bool free = is_free(verdict, history);
  decision.counts = !free && verdict.stage != Stage::local;
  const std::uint32_t attempts = history.attempts + (decision.counts ? 1 : 0);
  const std::uint32_t made = std::max(1u, attempts);  // the one at hand is one in any case

  // Whether the message was in work for the second time when a session was lost at the same stage:
  // it may be its doing, and its neighbours shall not suffer from it. A server that goes away ends
  // one session after the other, though, and a message that is given at once to a second one of
  // them has done nothing to it.
  decision.marks_loss = !free && verdict.was_next && verdict.may_retry && verdict.counts_as_attempt;
  const bool is_same_loss = made <= 2 && history.lost_with_others;
  if (decision.marks_loss && history.lost_at == verdict.stage && !is_same_loss) {
    decision.next = NextStep::set_aside;
    decision.note = "; it has ended two sessions there, and is set aside";
    return decision;
  }
  if (rules.is_stopped || (!free && attempts >= rules.attempts_max)) {
    return decision;
  }
  if (verdict.too_fast && history.rate_refusals > 0) {
    decision.next = NextStep::after_pause;
    decision.pause =
        retry_pause(rules.pause_first, std::min(history.rate_refusals, rate_pauses_max), salt);
    return decision;
  }
  // The first loss is tried again at once: there are other sessions.
  if (verdict.status == Status::deferred || verdict.wants_pause || (!free && made > 1)) {
    decision.next = NextStep::after_pause;
    decision.pause = retry_pause(rules.pause_first, made, salt);
    return decision;
  }
  decision.next = NextStep::at_once;
  return decision;
}

Decision decide_waiting(const Verdict& verdict, const AttemptHistory& history) {
  // A 4xx says more than that nothing followed it; and a resume may try the message again.
  const bool was_deferred = history.attempts > 0 && history.last == Status::deferred;
  // What is wrong with the endpoint takes no attempt's place.
  const bool tells_trouble = verdict.knows_trouble && history.attempts == 0;
  constexpr OutcomeParts nothing = {false, false, false, false, false};
  Decision decision;
  decision.writes = nothing;
  // An earlier run left it in doubt, and nothing was tried since: that stands.
  if (history.attempts == 0 && history.last == Status::unknown) {
    return decision;
  }
  switch (verdict.wait_end) {
    case WaitEnd::none:
    case WaitEnd::no_session:
      decision.writes = was_deferred ? nothing : OutcomeParts{};
      break;
    case WaitEnd::no_room:
      decision.writes.reason = true;
      break;
    case WaitEnd::deadline:
    case WaitEnd::over_age: {
      const bool stands = was_deferred && verdict.wait_end == WaitEnd::deadline;
      decision.writes.word = !stands;
      decision.writes.reply = !stands && tells_trouble;
      decision.writes.reason = !stands;
      decision.writes.moment = true;
      break;
    }
  }
  return decision;
}

Duration retry_pause(Duration first, std::uint32_t attempts_made, std::string_view salt) {
  constexpr std::uint32_t growth = 4;
  RP_ASSERT(attempts_made > 0);
  Duration pause = std::min<Duration>(first, limits::retry_pause_max);
  for (std::uint32_t i = 1; i < attempts_made && pause < limits::retry_pause_max; ++i) {
    pause = std::min<Duration>(pause * growth, limits::retry_pause_max);
  }
  const double share = 0.75 + chance_of(salt, attempts_made) / 2;
  return std::chrono::duration_cast<Duration>(pause * share);
}

Duration quota_pause(Duration window, std::uint32_t pauses_made) {
  constexpr Duration first = std::chrono::minutes(15);
  constexpr std::uint32_t doublings_max = 2;
  RP_ASSERT(pauses_made > 0);
  return std::min<Duration>(window, first * (1u << std::min(pauses_made - 1, doublings_max)));
}

std::optional<Duration> EndpointMood::hear_other(const Verdict& verdict, bool is_resting,
                                                 const AttemptRules& rules, std::string_view salt) {
  constexpr std::uint32_t deferrals_until_pause = 32;
  if (verdict.status == Status::deferred && verdict.stage != Stage::rcpt) {
    ++deferrals_in_a_row_;
  }
  const bool is_used_up = verdict.wants_pause && !is_resting;
  if (deferrals_in_a_row_ < deferrals_until_pause && !is_used_up) {
    return std::nullopt;
  }
  deferrals_in_a_row_ = 0;
  ++pauses_in_a_row_;
  if (is_used_up && verdict.quota_window > Duration::zero()) {
    const Duration pause = quota_pause(verdict.quota_window, pauses_in_a_row_);
    has_rested_for_ += pause;
    return pause;
  }
  return retry_pause(rules.pause_first, pauses_in_a_row_, salt);
}

}  // namespace ringpost::engine
