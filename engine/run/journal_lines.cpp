// Problem: the journal takes outcomes by the batch and may have no room for one, while the lines of
// that batch must not be written elsewhere.
//
// Idea: lines gather in one string, and go on to whoever wants them when the journal has them all.
//
// Limits: what gathers is bounded by what is in flight, since nobody gives messages back whose
// outcomes are not written.
#include "engine/run/journal_lines.h"

namespace ringpost::run {

void JournalLines::add(const OutcomeView& decided, Bytes line) {
  PendingOutcome pending;
  const Origin& origin = decided.message->origin;
  pending.outcome.ordinal =
      has_one_file_ ? codec::job_ordinal(0, codec::index_of(origin.ordinal)) : origin.ordinal;
  pending.outcome.line_hash = origin.line_hash;
  pending.outcome.recipient_index = origin.first_recipient + decided.recipient_index;
  pending.outcome.recipient_count =
      origin.job_recipients != 0 ? origin.job_recipients
                                 : static_cast<std::uint32_t>(decided.message->recipients.size());
  pending.outcome.status = decided.outcome->status;
  pending.line_begin = lines_.size();
  pending.line_bytes = line.size();
  lines_ += line;
  outcomes_.push_back(pending);
}

Result<void, RunTrouble> JournalLines::write() {
  if (outcomes_.empty()) {
    return {};
  }
  batch_.clear();
  for (PendingOutcome& pending : outcomes_) {
    pending.outcome.line = Bytes(lines_).substr(pending.line_begin, pending.line_bytes);
    batch_.push_back(pending.outcome);
  }
  if (auto appended = journal_.append_outcomes(batch_); !appended) {
    return Failure(
        RunTrouble{appended.error().message, false, appended.error().may_be_tried_again});
  }
  outcomes_.clear();
  written_lines_ += lines_;
  lines_.clear();
  return {};
}

void JournalLines::take_written(std::string& lines) {
  lines += written_lines_;
  written_lines_.clear();
}

}  // namespace ringpost::run
