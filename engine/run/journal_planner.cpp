// Problem: a resume must send to everybody who has had no message, and to nobody who may have had
// it, unless it was told to; and say so of each of them once.
//
// Idea: the history of a job has a word for each recipient, and each word is one mark of what is
// left: nothing was tried or it was put off (send), in flight (in doubt), told (over).
//
// Limits: what is known is known by ordinal, so the hash of the line has to say that it is the same
// line. Whether it still can be read as a job is not asked: a told outcome stands.
#include "engine/run/journal_planner.h"

#include <fmt/format.h>

#include "engine/outcome_record.h"

namespace ringpost::run {

namespace {

// Those who may have the message get it in a transaction of their own: a provider that knows it
// again drops all of it, and so nobody else may be in it.
void keep_apart(Job& job, const queue::JobHistory& history) {
  for (std::size_t i = 0; i < job.recipient_count; ++i) {
    const queue::RecipientHistory before = history.of(i);
    job.recipients[i].postponed =
        before == queue::RecipientHistory::none || before == queue::RecipientHistory::again;
  }
}

}  // namespace

Result<Planner::Plan, RunTrouble> JournalPlanner::plan(Job& job, std::int64_t now_us) {
  const queue::JobHistory history = history_.of(job.ordinal);
  if (history.is_untouched()) {
    return Plan::send;
  }
  if (!history_.line_matches(job.ordinal, job.line_hash)) {
    return Failure(RunTrouble{
        fmt::format("{}:{}: the line is not the one that the journal knows", job.file, job.line),
        true});
  }
  if (job.recipient_count == 0) {
    job.add_recipient();
  }
  bool left = false;
  bool resends = false;
  for (std::size_t i = 0; i < job.recipient_count; ++i) {
    Recipient& recipient = job.recipients[i];
    const bool unknown = history.status(i) == Status::unknown;
    switch (history.of(i)) {
      case queue::RecipientHistory::none:
      case queue::RecipientHistory::again:
        left = true;
        break;
      case queue::RecipientHistory::in_flight:
        left = true;
        resends = resends || options_.resend_unknown;
        recipient.decided = !options_.resend_unknown;
        engine::record_local(recipient.outcome,
                             recipient.decided ? protocol::verdict_of_killed_run()
                                               : protocol::verdict_of_earlier_doubt(),
                             now_us);
        break;
      case queue::RecipientHistory::final:
        recipient.reported = !(unknown && options_.resend_unknown);
        recipient.decided = recipient.reported;
        if (recipient.reported) {
          engine::record_told(recipient.outcome, history.status(i).value_or(Status::unsent));
        } else {
          engine::record_local(recipient.outcome, protocol::verdict_of_earlier_doubt(), now_us);
        }
        resends = resends || !recipient.reported;
        left = left || !recipient.reported;
        break;
    }
  }
  if (resends) {
    keep_apart(job, history);
  }
  return left ? Plan::send : Plan::skip;
}

}  // namespace ringpost::run
