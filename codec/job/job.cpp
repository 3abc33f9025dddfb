#include "codec/job/job.h"

#include "codec/text/reusable_text.h"

namespace ringpost {

using codec::empty;
using codec::shrink;

void Job::give_up_memory() {
  shrink(content);
  shrink(tags_json);
  shrink(metadata_json);
  constexpr std::size_t recipients_kept_max = 16;
  if (recipients.size() > recipients_kept_max) {
    std::vector<Recipient>().swap(recipients);
    recipient_count = 0;
  }
}

void Job::clear() {
  give_up_memory();
  empty(id);
  empty(file);
  line = 0;
  ordinal = 0;
  line_hash = 0;
  empty(sender);
  recipient_count = 0;
  empty(dsn.notify);
  empty(dsn.return_kind);
  empty(dsn.envelope_id);
  needs_smtputf8 = false;
  empty(content);
  traits = {};
  empty(tags_json);
  empty(metadata_json);
  empty(endpoint);
  retry_pause = Duration::zero();
  loss_stage = Stage::local;
  new_loss_stage = Stage::local;
  empty(idempotency_key);
  expires_at_us = 0;
  submitted_at = {};
  started_at = {};
  outcomes_left = 0;
  budget_bytes = 0;
}

Recipient& Job::add_recipient() {
  if (recipient_count == recipients.size()) {
    recipients.emplace_back();
  }
  Recipient& recipient = recipients[recipient_count++];
  recipient.address.clear();
  recipient.outcome.clear();
  recipient.progress = RecipientProgress::waiting;
  recipient.postponed = false;
  recipient.decided = false;
  recipient.reported = false;
  recipient.noted_in_flight = false;
  return recipient;
}

std::size_t Job::bytes() const {
  return sizeof(Job) + content.size() + tags_json.size() + metadata_json.size() + id.size() +
         recipient_count * sizeof(Recipient);
}

}  // namespace ringpost
