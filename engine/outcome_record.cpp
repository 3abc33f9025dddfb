// Problem: an outcome is what users store, and a status that is set in one of ten places says ten
// things.
//
// Idea: whoever ends a message comes here with a verdict. A decision says which parts of the
// outcome it changes: a 4xx stands when the run ends behind it, and an expiry keeps the last reply.
//
// Limits: an outcome's strings keep their capacity, so that recording allocates nothing once a job
// is used again. Texts are cut where lines are made of them, at outcome_text_bytes_max, and here
// one octet behind that, so that the cut is seen.
#include "engine/outcome_record.h"

#include <algorithm>

#include "codec/smtp/queue_id.h"
#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

float milliseconds(Duration duration) {
  return std::chrono::duration<float, std::milli>(duration).count();
}

// Server texts have several lines; an outcome has one.
void assign_text(std::string& to, Bytes text) {
  to.assign(text.substr(0, limits::outcome_text_bytes_max + 1));
  std::replace(to.begin(), to.end(), '\n', ' ');
}

void record_reply(Outcome& outcome, const protocol::Verdict& verdict) {
  outcome.stage = verdict.stage;
  outcome.code = verdict.code;
  outcome.enhanced = verdict.enhanced;
  assign_text(outcome.text, verdict.text);
}

void record_course(Outcome& outcome, const protocol::Verdict& verdict, const Circumstances& at) {
  outcome.queue_id.clear();
  if (verdict.status == Status::accepted) {
    outcome.queue_id.assign(codec::find_queue_id(verdict.text));
  }
  outcome.peer.assign(at.peer);
  outcome.total_ms = milliseconds(at.now - at.submitted_at);
  if (at.started_at != Instant{}) {
    outcome.queue_ms = milliseconds(at.started_at - at.submitted_at);
    outcome.submit_ms = milliseconds(at.now - at.started_at);
  }
}

}  // namespace

void record(Outcome& outcome, const protocol::Verdict& verdict, const Decision& decision,
            const Circumstances& at) {
  const OutcomeParts& writes = decision.writes;
  outcome.attempts += decision.counts ? 1 : 0;
  if (writes.word) {
    outcome.status = verdict.status;
  }
  if (writes.reply) {
    record_reply(outcome, verdict);
  }
  if (writes.reason) {
    outcome.reason.assign(verdict.reason);
    outcome.reason += decision.note;
  }
  if (writes.course) {
    record_course(outcome, verdict, at);
  }
  if (writes.moment) {
    outcome.endpoint = at.endpoint;
    outcome.timestamp_us = at.now_us;
  }
}

void record_local(Outcome& outcome, const protocol::Verdict& verdict, std::int64_t now_us) {
  outcome.clear();
  Circumstances at;
  at.now_us = now_us;
  record(outcome, verdict, {}, at);
}

void record_told(Outcome& outcome, Status status) { outcome.status = status; }

}  // namespace ringpost::engine
