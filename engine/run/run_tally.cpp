// Problem: a million refusals have a handful of reasons, and hardly two replies are the same: they
// have ids and counters in them.
//
// Idea: replies are compared without their numbers, ids and addresses, and the first of a group
// stands for it as it was. What was accepted, which is nearly everything, is counted without a
// lock.
//
// Limits: an id without a digit keeps replies apart, and behind a thousand groups all others are
// one.
#include "engine/run/run_tally.h"

#include <algorithm>
#include <numeric>

#include "engine/run/masked_words.h"

namespace ringpost::run {

namespace {

// Different texts are kept apart up to this many; the rest is counted together.
constexpr std::size_t groups_max = 1000;
constexpr std::size_t words_bytes_max = 160;

std::string shown(std::string_view text) {
  std::string words(text.substr(0, words_bytes_max));
  std::replace_if(
      words.begin(), words.end(),
      [](char c) {
        const auto octet = static_cast<unsigned char>(c);
        return octet < 0x20 || octet == 0x7f;
      },
      ' ');
  return words;
}

std::string words_of(const Outcome& outcome) {
  if (outcome.code != 0) {
    return std::to_string(outcome.code) + " " + shown(outcome.text);
  }
  std::string_view reason = outcome.reason;
  if (outcome.status == Status::invalid) {
    // `file:line: field: why`: the same mistake in another line is the same group.
    const std::size_t place_end = reason.find(": ");
    reason.remove_prefix(place_end == std::string_view::npos ? 0 : place_end + 2);
  }
  return shown(reason);
}

}  // namespace

void RunTally::count(const Outcome& outcome, std::size_t number, Bytes id) {
  const std::size_t endpoint = std::min<std::size_t>(outcome.endpoint, endpoints_max - 1);
  std::atomic<std::uint64_t>& counter =
      counts_[number].of[endpoint][static_cast<std::size_t>(outcome.status)];
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (outcome.status == Status::accepted) {
    return;
  }
  std::string words = words_of(outcome);
  std::string key = std::string(name_of(outcome.status)) + " " +
                    std::string(name_of(outcome.stage)) + " " + std::to_string(outcome.code) + " " +
                    masked_words(words);
  const std::lock_guard lock(mutex_);
  if (groups_.size() >= groups_max && !groups_.contains(key)) {
    key = words = "other replies";
  }
  if (outcome.status == Status::unsent || outcome.status == Status::expired) {
    ++left_[outcome.endpoint];
  }
  ReplyGroup& group = groups_[key];
  if (group.count++ == 0) {
    group.status = outcome.status;
    group.stage = outcome.stage;
    group.words = std::move(words);
    group.id = id;
  }
}

std::uint64_t RunTally::left_by(std::size_t endpoint) const {
  const std::lock_guard lock(mutex_);
  const auto found = left_.find(endpoint);
  return found == left_.end() ? 0 : found->second;
}

bool RunTally::another_accepts(std::size_t endpoint) const {
  for (std::size_t i = 0; i < endpoints_max; ++i) {
    if (i != endpoint && of_endpoint(i, Status::accepted) > 0) {
      return true;
    }
  }
  return false;
}

std::uint64_t RunTally::of_endpoint(std::size_t endpoint, Status status) const {
  const std::size_t index = std::min(endpoint, endpoints_max - 1);
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0},
                         [&](std::uint64_t sum, const Counts& counts) {
                           return sum + counts.of[index][static_cast<std::size_t>(status)].load(
                                            std::memory_order_relaxed);
                         });
}

std::uint64_t RunTally::of(Status status) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < endpoints_max; ++i) {
    sum += of_endpoint(i, status);
  }
  return sum;
}

std::uint64_t RunTally::total() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < status_count; ++i) {
    sum += of(static_cast<Status>(i));
  }
  return sum;
}

std::vector<ReplyGroup> RunTally::groups(std::size_t most) const {
  std::vector<ReplyGroup> result;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, group] : groups_) {
      result.push_back(group);
    }
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const ReplyGroup& a, const ReplyGroup& b) { return a.count > b.count; });
  result.resize(std::min(result.size(), most));
  return result;
}

}  // namespace ringpost::run
