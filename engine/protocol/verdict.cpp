// The problem: whether a recipient is told `unsent` or `unknown` decides whether he gets a message
// twice or never. The idea: one function for each way in which a message can end or be put off,
// made from what is known and from nothing else. Of a session that was lost a single fact decides:
// whether the last octet of the end of data had been handed to the kernel. Limits: replies are
// taken at their word; which of them are about something else is found out before (reply_scope).
#include "engine/protocol/verdict.h"

#include "engine/protocol/opening_hint.h"

namespace ringpost::protocol {

namespace {

Verdict with_reply(Status status, Stage stage, const codec::Reply& reply) {
  Verdict verdict;
  verdict.status = status;
  verdict.stage = stage;
  verdict.code = reply.code;
  verdict.enhanced = reply.enhanced;
  verdict.text = reply.text;
  return verdict;
}

Verdict with_reason(Status status, Stage stage, const CloseReason& reason, Bytes reason_text) {
  Verdict verdict;
  verdict.status = status;
  verdict.stage = stage;
  verdict.code = reason.code;
  verdict.enhanced = reason.enhanced;
  verdict.text = reason.text;
  verdict.reason = reason_text;
  return verdict;
}

}  // namespace

Verdict verdict_of_reply(Stage stage, const codec::Reply& reply) {
  if (reply.positive()) {
    RP_ASSERT(stage == Stage::eod);
    return with_reply(Status::accepted, stage, reply);
  }
  RP_ASSERT(reply.transient() || reply.permanent());
  Verdict verdict =
      with_reply(reply.transient() ? Status::deferred : Status::rejected, stage, reply);
  const bool before_content = stage == Stage::mail || stage == Stage::rcpt;
  if (before_content && is_about_client_name(reply.text)) {
    verdict.reason = "the server does not take the name of this machine: client_name sets another";
  }
  return verdict;
}

Verdict verdict_of_way(Stage stage, const codec::Reply& reply) {
  Verdict verdict = with_reply(Status::unsent, stage, reply);
  verdict.may_retry = true;
  verdict.counts_as_attempt = false;
  return verdict;
}

Verdict verdict_of_quota(Stage stage, const codec::Reply& reply, Duration window) {
  Verdict verdict = with_reply(Status::unsent, stage, reply);
  verdict.may_retry = true;
  verdict.counts_as_attempt = window == Duration::zero();
  verdict.wants_pause = true;
  verdict.quota_window = window;
  return verdict;
}

Verdict verdict_of_rate(Stage stage, const codec::Reply& reply) {
  Verdict verdict = verdict_of_way(stage, reply);
  verdict.too_fast = true;
  return verdict;
}

Verdict verdict_of_rule(Stage stage, const codec::Reply& reply, const Ruling& ruling) {
  RP_ASSERT(ruling.rule != nullptr);
  Verdict verdict = with_reply(Status::deferred, stage, reply);
  const bool is_taken = ruling.is_due;
  if (is_taken && ruling.action == RuleAction::reject) {
    verdict.status = Status::rejected;
  } else if (is_taken && ruling.action == RuleAction::stop) {
    verdict.status = Status::unsent;  // until somebody acts: a later run may send it
  } else if (is_taken && ruling.action == RuleAction::split) {
    verdict = verdict_of_reply(stage, reply);  // of a transaction that is as small as can be
  }
  verdict.reason = ruling.rule->hint;
  return verdict;
}

Verdict verdict_of_loss(Stage stage, bool end_of_data_handed_over, const CloseReason& reason,
                        Bytes reason_text) {
  if (end_of_data_handed_over) {
    return with_reason(Status::unknown, Stage::eod, reason, reason_text);
  }
  Verdict verdict = with_reason(Status::unsent, stage, reason, reason_text);
  verdict.may_retry = reason.kind != CloseKind::aborted;
  verdict.counts_as_attempt = !reason.fall_back && !reason.doubted && !reason.after_refusals;
  return verdict;
}

Verdict verdict_of_local_refusal(Bytes reason) {
  Verdict verdict;
  verdict.status = Status::invalid;
  verdict.stage = Stage::local;
  verdict.reason = reason;
  return verdict;
}

Verdict verdict_of_no_session(const CloseReason& reason, Bytes reason_text) {
  Verdict verdict = with_reason(Status::unsent, reason.stage, reason, reason_text);
  verdict.wait_end = WaitEnd::no_session;
  return verdict;
}

Verdict verdict_of_cancellation(Bytes reason) {
  Verdict verdict;
  verdict.reason = reason;
  verdict.wait_end = WaitEnd::no_session;
  return verdict;
}

Verdict verdict_of_expiry(WaitEnd end, const CloseReason* trouble, Bytes reason_text) {
  RP_ASSERT(end == WaitEnd::deadline || end == WaitEnd::over_age);
  Verdict verdict;
  if (trouble != nullptr) {
    verdict = with_reason(Status::expired, trouble->stage, *trouble, reason_text);
  }
  verdict.status = Status::expired;
  verdict.reason = reason_text;
  verdict.wait_end = end;
  verdict.knows_trouble = trouble != nullptr;
  return verdict;
}

Verdict verdict_of_no_room() {
  Verdict verdict;
  verdict.reason = "too many messages wait for another attempt";
  verdict.wait_end = WaitEnd::no_room;
  return verdict;
}

Verdict verdict_of_killed_run() {
  Verdict verdict;
  verdict.status = Status::unknown;
  verdict.stage = Stage::eod;
  verdict.reason = "an earlier run ended while it was in flight";
  return verdict;
}

Verdict verdict_of_earlier_doubt() {
  Verdict verdict = verdict_of_killed_run();
  verdict.reason = "an earlier run left it in doubt, and it was not sent again";
  return verdict;
}

Verdict verdict_of_left_out(Bytes reason) {
  Verdict verdict;
  verdict.status = Status::skipped;
  verdict.reason = reason;
  return verdict;
}

Verdict verdict_of_dry_run() {
  Verdict verdict;
  verdict.reason = "dry run: the job is valid and was not sent";
  return verdict;
}

}  // namespace ringpost::protocol
