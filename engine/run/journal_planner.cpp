// Problem: a resume must send to everybody who has had no message, and to nobody who may have had
// it, unless it was told to; and say so of each of them once.
//
// Idea: the history of a job has a word for each recipient, and each word is one mark of what is
// left: nothing was tried or it was put off (send), in flight (in doubt), told (over).
//
// Limits: what is known is known by ordinal, so the hash of the line has to say that it is the same
// line. Whether it still can be read as a job is not asked: a told outcome stands.
#include "engine/run/journal_planner.h"

#include <algorithm>

#include <fmt/format.h>

namespace ringpost::run {

Result<Planner::Plan, RunTrouble> JournalPlanner::plan(const Message& message,
                                                       std::vector<PriorFate>& fates) {
  const Origin& origin = message.origin;
  const queue::JobHistory history = history_.of(origin.ordinal);
  // Of a line of a million messages, each asks for its own recipients alone.
  const bool is_part = origin.job_recipients != 0;
  if (!is_part && history.is_untouched()) {
    return Plan::send;
  }
  if (!history_.line_matches(origin.ordinal, origin.line_hash)) {
    return Failure(RunTrouble{fmt::format("{}:{}: the line is not the one that the journal knows",
                                          origin.file, origin.line),
                              true});
  }
  const std::size_t count = std::max<std::size_t>(1, message.recipients.size());
  fates.reserve(count);
  bool is_left = false;
  for (std::size_t i = 0; i < count; ++i) {
    fates.push_back(fate_of(history, origin.first_recipient + i));
    is_left = is_left || !is_told(fates.back());
  }
  if (is_part && std::all_of(fates.begin(), fates.end(),
                             [](PriorFate fate) { return fate == PriorFate::none; })) {
    fates.clear();
  }
  return is_left ? Plan::send : Plan::skip;
}

PriorFate JournalPlanner::fate_of(const queue::JobHistory& history, std::size_t recipient) const {
  const std::optional<Status> status = history.status(recipient);
  switch (history.of(recipient)) {
    case queue::RecipientHistory::none:
    case queue::RecipientHistory::again:
      break;
    case queue::RecipientHistory::in_flight:
      return options_.resend_unknown ? PriorFate::resend_apart : PriorFate::in_doubt;
    case queue::RecipientHistory::final:
      if (status == Status::unknown && options_.resend_unknown) {
        return PriorFate::resend_apart;
      }
      return status == Status::accepted || status == Status::unknown ? PriorFate::has_it
                                                                     : PriorFate::done;
  }
  return PriorFate::none;
}

}  // namespace ringpost::run
