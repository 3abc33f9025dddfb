// The problem: a worker notes intents of many messages in one call, and outcomes come mixed, while
// each file has a journal of its own. The idea: the number in a message's ordinal says whose it is.
// Limits: a journal without room holds up outcomes of all others, as the outcome file does.
#include "tools/serve/watch/watched_files.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace ringpost::serve {

namespace {

constexpr auto pause_without_room = std::chrono::milliseconds(100);

}  // namespace

std::uint32_t WatchedFiles::new_number() {
  const std::lock_guard lock(mutex_);
  do {
    last_number_ = last_number_ == UINT32_MAX ? first_number : last_number_ + 1;
  } while (files_.contains(last_number_));
  return last_number_;
}

void WatchedFiles::add(std::shared_ptr<WatchedFile> file) {
  const std::lock_guard lock(mutex_);
  files_[file->number()] = std::move(file);
}

void WatchedFiles::remove(std::uint32_t number) {
  const std::lock_guard lock(mutex_);
  files_.erase(number);
}

std::shared_ptr<WatchedFile> WatchedFiles::find(std::uint64_t ordinal) const {
  const std::uint32_t number = codec::source_of(ordinal);
  if (number < first_number) {
    return nullptr;
  }
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(number);
  return found == files_.end() ? nullptr : found->second;
}

Result<void, queue::JournalError> WatchedFiles::append_intents(
    std::span<const codec::JournalIntent> intents) {
  std::map<std::uint32_t, std::vector<codec::JournalIntent>> by_file;
  std::vector<codec::JournalIntent> others;
  for (const codec::JournalIntent& intent : intents) {
    const std::uint32_t number = codec::source_of(intent.ordinal);
    (number < first_number ? others : by_file[number]).push_back(intent);
  }
  if (!others.empty() && next_log_ != nullptr) {
    if (auto appended = next_log_->append_intents(others); !appended) {
      return appended;
    }
  }
  for (auto& [number, own] : by_file) {
    const auto file = find(own.front().ordinal);
    RP_ASSERT(file != nullptr);  // a message of it is under way
    if (auto appended = file->append_intents(std::move(own)); !appended) {
      if (!appended.error().may_be_tried_again && !has_failed_.exchange(true)) {
        log_.error("watch: nothing more is sent: " + appended.error().message);
      }
      return appended;
    }
  }
  return {};
}

OutcomeKeeper::Wish WatchedFiles::wish(const OutcomeView& decided) {
  const auto file = find(decided.message->origin.ordinal);
  if (file == nullptr) {
    return next_keeper_ == nullptr ? Wish::none : next_keeper_->wish(decided);
  }
  if (is_ending_.load() && decided.outcome->status == Status::unsent) {
    file->is_cut_short.store(true);
    return Wish::pass_over;
  }
  file->take(decided);
  if (std::find(noted_in_.begin(), noted_in_.end(), file) == noted_in_.end()) {
    noted_in_.push_back(file);
  }
  return Wish::none;
}

void WatchedFiles::add(const OutcomeView& decided, Bytes line) {
  RP_ASSERT(next_keeper_ != nullptr);  // nobody else has wished for it
  next_keeper_->add(decided, line);
}

void WatchedFiles::write() {
  if (next_keeper_ != nullptr) {
    next_keeper_->write();
  }
  for (const auto& file : noted_in_) {
    auto written = file->write();
    while (!written && written.error().may_be_tried_again && !is_giving_up_.load()) {
      std::this_thread::sleep_for(pause_without_room);
      written = file->write();
    }
    if (!written && !has_failed_.exchange(true)) {
      log_.error("watch: outcomes could not be written: " + written.error().message);
    }
  }
  noted_in_.clear();
}

}  // namespace ringpost::serve
