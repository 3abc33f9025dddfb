#include "engine/submission.h"

#include <algorithm>

namespace ringpost::engine {

bool begin_submission(Job& job) {
  const auto recipients = job.active_recipients();
  job.outcomes_left = static_cast<std::size_t>(
      std::count_if(recipients.begin(), recipients.end(),
                    [](const Recipient& recipient) { return !recipient.reported; }));
  RP_ASSERT(job.outcomes_left > 0);
  return !std::all_of(recipients.begin(), recipients.end(),
                      [](const Recipient& recipient) { return recipient.decided; });
}

void refuse_submission(Job& job, std::string_view reason, std::int64_t now_us) {
  if (job.recipient_count == 0) {
    job.add_recipient();
  }
  job.outcomes_left = job.recipient_count;
  for (Recipient& recipient : job.active_recipients()) {
    if (recipient.reported) {
      --job.outcomes_left;
      continue;
    }
    recipient.outcome.clear();
    recipient.outcome.status = Status::invalid;
    recipient.outcome.stage = Stage::local;
    recipient.outcome.reason.assign(reason);
    recipient.outcome.timestamp_us = now_us;
    recipient.decided = true;
  }
}

std::vector<queue::DecidedRecipient> report_submission(Job& job) {
  std::vector<queue::DecidedRecipient> decided;
  for (std::uint32_t i = 0; i < job.recipient_count; ++i) {
    if (!job.recipients[i].reported) {
      job.recipients[i].reported = true;
      decided.push_back({&job, i});
    }
  }
  return decided;
}

}  // namespace ringpost::engine
