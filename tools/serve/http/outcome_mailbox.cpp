// The problem: outcomes are told on threads that must not wait for a client, some of whom are gone.
// The idea: lines are made where they are told, in a box that the request and each of its messages
// hold; the one who reads it is rung for once until he has come. Limits: what lies in it is bounded
// by what the request may have in flight, and by the budget, without which lines are left out: a
// message to a hundred thousand, each with metadata, has gigabytes of them.
#include "tools/serve/http/outcome_mailbox.h"

#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "codec/text/json_text.h"

namespace ringpost::http {

namespace {

std::string words_of_outcome(const Outcome& outcome) {
  if (outcome.code == 0) {
    return outcome.reason.empty() ? std::string(name_of(outcome.status)) : outcome.reason;
  }
  std::string words = fmt::format("{}", outcome.code);
  if (outcome.enhanced.present()) {
    words += fmt::format(" {}.{}.{}", outcome.enhanced.status_class, outcome.enhanced.subject,
                         outcome.enhanced.detail);
  }
  return words + " " + outcome.text;
}

}  // namespace

int status_of_storing(const StoredCounts& storing, std::uint64_t invalid, bool is_whole) {
  if (is_whole && storing.refused == 0 && invalid == 0) {
    return 202;
  }
  if (storing.stored > 0 || !is_whole || (storing.refused > 0 && invalid > 0)) {
    return 207;
  }
  return invalid > 0 ? 422 : storing.lacked_room ? 429 : 503;
}

OutcomeMailbox::OutcomeMailbox(OutcomeMailboxOptions options, ByteBudget& budget)
    : options_(std::move(options)), writer_(options_.endpoint_names), share_(budget) {}

void append_storing(std::string& json, const StoredCounts& storing, OutcomeMailbox& mailbox) {
  fmt::format_to(std::back_inserter(json), R"("stored":{},)", storing.stored);
  if (storing.refused == 0) {
    return;
  }
  json += R"("not_stored":[)";
  bool is_first = true;
  for (const FailedRecipient& failed : mailbox.take_failed()) {
    json += is_first ? "" : ",";
    is_first = false;
    codec::append_json_string(json, failed.address);
  }
  json += "],";
}

MessageTaker::Completion OutcomeMailbox::slot_of(const std::shared_ptr<OutcomeMailbox>& mailbox) {
  return [mailbox](const Message& message, std::span<const Outcome> outcomes) {
    mailbox->put(message, outcomes);
  };
}

void OutcomeMailbox::put(const Message& message, std::span<const Outcome> outcomes) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) {
    return;
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    put_line(message, i, outcomes[i]);
  }
  ++mail_.messages;
  ring();
}

// Under the lock.
void OutcomeMailbox::ring() {
  if (!std::exchange(is_rung_, true)) {
    options_.ring();
  }
}

MessageTaker::StoreCompletion OutcomeMailbox::store_slot_of(
    const std::shared_ptr<OutcomeMailbox>& mailbox, const std::string& id) {
  return [mailbox, id](MessageTaker::Stored stored) { mailbox->put_stored(stored, id); };
}

void OutcomeMailbox::put_stored(MessageTaker::Stored stored, const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) {
    return;
  }
  ++mail_.messages;
  if (stored == MessageTaker::Stored::yes) {
    ++mail_.storing.stored;
  } else {
    ++mail_.storing.refused;
    mail_.storing.lacked_room =
        mail_.storing.lacked_room || stored == MessageTaker::Stored::no_room;
    if (share_.resize(lines_.size() + failed_bytes_ + id.size())) {
      failed_bytes_ += id.size();
      failed_.push_back({id, {}});
    }
  }
  ring();
}

void OutcomeMailbox::put_line(const Message& message, std::size_t recipient,
                              const Outcome& outcome) {
  ++mail_.by_status[static_cast<std::size_t>(outcome.status)];
  const std::size_t before = lines_.size();
  writer_.append(lines_, message, recipient, outcome);
  FailedRecipient failed;
  if (options_.keeps_failed && outcome.status != Status::accepted) {
    failed = {std::string(message.recipients[recipient]), words_of_outcome(outcome)};
  }
  const std::size_t failed_bytes = failed.address.size() + failed.words.size();
  if (!share_.resize(lines_.size() + failed_bytes_ + failed_bytes)) {
    lines_.resize(before);
    ++mail_.left_out;
    return;
  }
  failed_bytes_ += failed_bytes;
  if (!failed.words.empty()) {
    failed_.push_back(std::move(failed));
  }
}

Mail OutcomeMailbox::take() {
  const std::lock_guard lock(mutex_);
  is_rung_ = false;
  return std::exchange(mail_, Mail());
}

std::string OutcomeMailbox::take_lines(std::size_t bytes_max) {
  const std::lock_guard lock(mutex_);
  std::string taken;
  if (lines_begin_ == 0 && lines_.size() <= bytes_max) {
    taken.swap(lines_);
  } else {
    taken = lines_.substr(lines_begin_, bytes_max);
    lines_begin_ += taken.size();
    if (2 * lines_begin_ >= lines_.size()) {  // each octet is moved once on average
      lines_.erase(0, lines_begin_);
      lines_begin_ = 0;
    }
  }
  static_cast<void>(share_.resize(lines_.size() + failed_bytes_));  // not more than before
  return taken;
}

std::size_t OutcomeMailbox::line_bytes() {
  const std::lock_guard lock(mutex_);
  return lines_.size() - lines_begin_;
}

std::vector<FailedRecipient> OutcomeMailbox::take_failed() {
  const std::lock_guard lock(mutex_);
  failed_bytes_ = 0;
  static_cast<void>(share_.resize(lines_.size()));
  return std::exchange(failed_, {});
}

void OutcomeMailbox::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  mail_ = Mail();
  lines_ = {};
  failed_ = {};
  lines_begin_ = 0;
  static_cast<void>(share_.resize(0));
  options_.ring = nullptr;
}

}  // namespace ringpost::http
