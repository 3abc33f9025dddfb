// The problem: what an endpoint takes is told by what it refuses, and by many sessions at a time:
// so many sessions, so many messages of each, no more of this rule's kind. The idea: who hears a
// refusal tells the gate, which counts over all of them, and what outlives the run stands in the
// account's state file. Limits: sessions that other processes have are not known here, so that what
// was found is what was left beside them.
#include <algorithm>

#include "engine/endpoint_gate.h"
#include "engine/protocol/reply_rules.h"
#include "engine/protocol/reply_scope.h"
#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

// How often one session more is tried than an earlier run has found out to be taken.
constexpr Duration one_more_every = std::chrono::minutes(5);
// So long behind a refusal sessions that come about were let in beside it; and so long behind one
// that was told to a session with messages, one more is tried.
constexpr Duration beside_refusal = std::chrono::seconds(30);

// That there is one session too many.
bool is_one_too_many(const protocol::CloseReason& reason) {
  return reason.code >= 400 &&
         (reason.rule != nullptr ? reason.rule->action == protocol::RuleAction::fewer_connections
                                 : protocol::says_too_many_connections(reason.text));
}

}  // namespace

// An earlier run has found out how many sessions are taken, or one was told behind its login: no
// more are opened, but that one more is tried now and then, since providers change their minds.
bool EndpointGate::waits_for_an_end(Instant now) {
  if (!keeps_to_known_ || sessions_open_ < sessions_known_) {
    return false;
  }
  ask_for_more_at_ = ask_for_more_at_ == never ? now + one_more_every : ask_for_more_at_;
  if (now < ask_for_more_at_) {
    return true;
  }
  ask_for_more_at_ = now + one_more_every;
  return false;
}

// A session was let in. More than were known to be: the provider has changed its mind, or others of
// those that were refused have gone.
std::optional<queue::LearntLimits> EndpointGate::note_one_more(Instant now) {
  if (sessions_known_ == 0 || sessions_ready_ <= sessions_known_) {
    return std::nullopt;
  }
  const bool is_beside =
      one_too_many_at_ != Instant::min() && now - one_too_many_at_ < beside_refusal;
  if (is_beside && grows_by_one_) {
    return std::nullopt;  // it was under way, and will be told, too
  }
  sessions_known_ = is_beside || grows_by_one_ ? sessions_ready_ : 0;
  keeps_to_known_ = grows_by_one_;
  if (grows_by_one_) {
    ask_for_more_at_ = now + beside_refusal;
  }
  queue::LearntLimits learnt = memory_.learnt();
  learnt.sessions_max = sessions_known_;
  return learnt;
}

// The sessions that work are what it takes.
std::optional<queue::LearntLimits> EndpointGate::note_one_too_many(
    const protocol::CloseReason& reason, Instant now) {
  if (sessions_ready_ == 0 || !is_one_too_many(reason)) {
    return std::nullopt;
  }
  one_too_many_at_ = now;
  if (sessions_known_ != 0 && sessions_known_ <= sessions_ready_) {
    return std::nullopt;
  }
  sessions_known_ = sessions_ready_;
  queue::LearntLimits learnt = memory_.learnt();
  learnt.sessions_max = sessions_known_;
  return learnt;
}

// Those that were told before and have not ended yet are no others.
bool EndpointGate::one_too_many(Instant now) {
  queue::LearntLimits learnt = memory_.learnt();
  {
    const std::lock_guard lock(mutex_);
    if (sessions_ready_ <= sessions_told_ + 1) {
      return false;
    }
    ++sessions_told_;
    const std::uint64_t others = sessions_ready_ - sessions_told_;
    sessions_known_ = sessions_known_ == 0 ? others : std::min(sessions_known_, others);
    keeps_to_known_ = true;
    grows_by_one_ = true;
    one_too_many_at_ = now;
    ask_for_more_at_ = now + beside_refusal;
    no_spares_until_ = (now + beside_refusal).time_since_epoch().count();
    learnt.sessions_max = sessions_known_;
  }
  keep(learnt);
  return true;
}

// In the account's state file, where it has one. A rate that stands there keeps its date.
void EndpointGate::keep(const std::optional<queue::LearntLimits>& learnt) {
  if (!learnt) {
    return;
  }
  queue::LearntLimits kept = *learnt;
  if (kept.rate_amount == 0) {
    kept.learnt_at_unix_ns = 0;  // now
  }
  memory_.set_learnt(kept);
}

std::uint64_t EndpointGate::sessions_known() const {
  const std::lock_guard lock(mutex_);
  return sessions_known_;
}

// What a rule says of an end before the session was ready: whether it is for good, where that is
// said after some times in a row.
protocol::CloseReason EndpointGate::ruled(const Ending& ending, protocol::CloseReason reason) {
  if (reason.rule == nullptr || ending.was_ready) {
    return reason;
  }
  const bool is_mistake = reason.rule->action == protocol::RuleAction::mistake;
  const std::uint32_t times =
      is_mistake ? std::max(protocol::mistakes_max, reason.rule->times) : reason.rule->times;
  if (times > 1) {
    const bool is_for_good = is_mistake || protocol::closes(reason.rule->action);
    reason.permanent = repeats_.said(reason.rule) >= times && is_for_good;
  }
  return reason;
}

void EndpointGate::recipient_refused(Stage stage, const codec::Reply& reply) {
  if (accepted_.load(std::memory_order_relaxed) || options_.equal_refusals_max == 0) {
    return;
  }
  const std::lock_guard lock(mutex_);
  const std::size_t words = protocol::hash_of_words(reply);
  refusals_equal_ = words == refusal_words_ ? refusals_equal_ + 1 : 1;
  refusal_words_ = words;
  if (refusals_equal_ == options_.equal_refusals_max && !failed()) {
    protocol::CloseReason reason = reason_of(protocol::CloseKind::all_refused, stage);
    reason.code = reply.code;
    reason.enhanced = reply.enhanced;
    reason.text = reply.text;
    reason.permanent = true;
    fail(reason);
  }
}

void EndpointGate::tell_found_rate() {
  const std::optional<RateWindow> found = rate_.found();
  if (!found) {
    return;
  }
  const bool of_recipients = rate_.found_unit() == QuotaUnit::recipients;
  const std::string rate = std::to_string(found->amount) + (of_recipients ? " recipients/s" : "/s");
  tell("takes " + rate + ", as it has turned out: rate = \"" + rate + "\" keeps to that");
}

void EndpointGate::came_too_fast(Stage stage, const codec::Reply& reply, Instant now) {
  if (rate_.refused_for(now) < options_.patience.value_or(limits::patience)) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (!failed()) {
    fail(reason_with_reply(protocol::CloseKind::rate_refused, stage, reply, true));
  }
}

void EndpointGate::left_out_dsn() {
  if (!said_no_dsn_.load(std::memory_order_relaxed) && !said_no_dsn_.exchange(true) && notice_) {
    notice_({options_.name,
             "does not announce DSN, so what envelope.dsn asks for is left out: notifications come "
             "as the server sees fit"});
  }
}

}  // namespace ringpost::engine
