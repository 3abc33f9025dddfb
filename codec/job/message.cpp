// The problem: messages are filled again and again, and one of 50 MB must not keep its memory for
// good, while ordinary ones should ask for none. The idea: what is emptied keeps its capacity up to
// a bound (reusable_text.h), and the ends of recipients are numbers beside their octets, so that a
// list of any length is two buffers. Limits: addresses are taken as they come.
#include <utility>

#include "codec/mail/address.h"
#include "codec/text/reusable_text.h"
#include <ringpost/message.h>

namespace ringpost {

Result<std::string, std::string> checked_address(Bytes text) {
  auto mailbox = codec::validate_address(text);
  if (!mailbox) {
    return Failure(codec::describe(mailbox.error(), text));
  }
  return std::move(mailbox->address);
}

void RecipientList::add(Bytes address) {
  if (count_ > 0) {
    ends_.push_back(static_cast<std::uint32_t>(octets_.size()));
  }
  octets_ += address;
  octets_ += '\n';
  ++count_;
}

void RecipientList::take(RecipientList& others) {
  if (empty()) {
    octets_.swap(others.octets_);
    ends_.swap(others.ends_);
    std::swap(count_, others.count_);
    return;
  }
  for (std::size_t i = 0; i < others.size(); ++i) {
    add(others[i]);
  }
}

void RecipientList::clear() {
  codec::empty(octets_);
  if (ends_.capacity() * sizeof(ends_[0]) > limits::job_bytes_kept_max) {
    std::vector<std::uint32_t>().swap(ends_);
  }
  ends_.clear();
  count_ = 0;
}

void Message::give_up_memory() {
  content.give_up_memory();
  recipients.clear();
  codec::shrink(tags_json);
  codec::shrink(metadata_json);
}

void Message::clear() {
  codec::empty(sender);
  recipients.clear();
  content.clear();
  expires_at_us = 0;
  needs_smtputf8 = false;
  cancellation.reset();
  for (std::string* text :
       {&dsn.notify, &dsn.return_kind, &dsn.envelope_id, &id, &tags_json, &metadata_json,
        &recipient_id, &endpoint, &idempotency_key, &origin.file}) {
    codec::empty(*text);
  }
  origin.line = 0;
  origin.ordinal = 0;
  origin.line_hash = 0;
  origin.first_recipient = 0;
  origin.job_recipients = 0;
  context = nullptr;
}

}  // namespace ringpost
