#include "codec/job.h"

#include "codec/limits.h"

namespace ringpost {

namespace {

void shrink(std::string& buffer) {
  if (buffer.capacity() > limits::job_bytes_kept_max) {
    std::string().swap(buffer);
  }
}

}  // namespace

void Job::give_up_memory() {
  // The others are bounded by the reader to less than that.
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
  id.clear();
  file.clear();
  line = 0;
  ordinal = 0;
  line_hash = 0;
  sender.clear();
  recipient_count = 0;
  dsn.notify.clear();
  dsn.return_kind.clear();
  dsn.envelope_id.clear();
  needs_smtputf8 = false;
  content.clear();
  traits = {};
  tags_json.clear();
  metadata_json.clear();
  endpoint.clear();
  retry_pause = Duration::zero();
  loss_stage = Stage::local;
  new_loss_stage = Stage::local;
  idempotency_key.clear();
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
  return recipient;
}

std::size_t Job::bytes() const {
  return sizeof(Job) + content.size() + tags_json.size() + metadata_json.size() + id.size() +
         recipient_count * sizeof(Recipient);
}

}  // namespace ringpost
