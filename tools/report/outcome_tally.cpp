// The problem: a recipient has several lines, in one file and in those of later runs, and counts
// once, by the last of them; ten million do not fit into memory by name. The idea: a hash stands
// for each, and what he counted as is packed beside it, so that a later line takes it back. Limits:
// behind a thousand groups and sixty endpoints all others are one; two of ten million recipients
// have the same hash with a probability of 1 : 370,000.
#include "tools/report/outcome_tally.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "engine/run/masked_words.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t groups_max = 1000;
constexpr std::size_t endpoints_max = 60;
constexpr std::uint32_t status_bits = 4;
constexpr std::uint32_t endpoint_bits = 8;

}  // namespace

std::uint64_t OutcomeTally::key_of(const OutcomeRecord& record) {
  return run::recipient_key(record.id, record.recipient);
}

std::uint32_t OutcomeTally::packed(const Fate& fate) {
  return static_cast<std::uint32_t>(fate.which | (fate.endpoint << status_bits) |
                                    (fate.group << (status_bits + endpoint_bits)));
}

OutcomeTally::Fate OutcomeTally::unpacked(std::uint32_t place) {
  return {.which = place & ((1U << status_bits) - 1),
          .endpoint = (place >> status_bits) & ((1U << endpoint_bits) - 1),
          .group = place >> (status_bits + endpoint_bits)};
}

OutcomeTally::Taken OutcomeTally::add(const OutcomeRecord& record) {
  note_time(record);
  if (!record.is_final) {
    ++tries_;
    return Taken::not_final;
  }
  const Fate fate{.which = static_cast<std::size_t>(record.status),
                  .endpoint = endpoint_index(record.endpoint),
                  .group = group_index(record)};
  const std::uint64_t key = key_of(record);
  const auto before = known_.find(key);
  if (before) {
    change(unpacked(*before), false);
    ++repeated_;
  }
  change(fate, true);
  if (known_.put(key, packed(fate)) == run::AddressSet::Added::full) {
    knows_all_ = false;
  }
  if (record.status == Status::accepted) {
    accepted_bytes_ += record.bytes;
    if (record.submit_ms >= 0) {
      const std::chrono::duration<double, std::milli> taken(record.submit_ms);
      times_.note(std::chrono::duration_cast<Duration>(taken));
    }
  }
  return before ? Taken::changed : Taken::counted;
}

void OutcomeTally::change(const Fate& fate, bool is_added) {
  const std::uint64_t difference = is_added ? 1 : ~std::uint64_t{0};
  counts_[fate.which] += difference;
  endpoints_[fate.endpoint].second[fate.which] += difference;
  groups_[fate.group].count += difference;
}

// Lines of a run are not in the order of their times, and those of several files still less so.
void OutcomeTally::note_time(const OutcomeRecord& record) {
  if (record.timestamp.empty()) {
    return;
  }
  if (first_time_.empty() || record.timestamp < first_time_) {
    first_time_ = record.timestamp;
  }
  if (record.timestamp > last_time_) {
    last_time_ = record.timestamp;
  }
}

std::size_t OutcomeTally::endpoint_index(Bytes name) {
  if (endpoints_.empty()) {
    endpoints_.emplace_back();
  }
  const auto found = std::find_if(endpoints_.begin(), endpoints_.end(),
                                  [name](const auto& one) { return one.first == name; });
  if (found != endpoints_.end()) {
    return static_cast<std::size_t>(found - endpoints_.begin());
  }
  if (endpoints_.size() == endpoints_max) {
    endpoints_.emplace_back("others", StatusCounts{});
  } else if (endpoints_.size() < endpoints_max) {
    endpoints_.emplace_back(std::string(name), StatusCounts{});
  }
  return endpoints_.size() - 1;
}

std::size_t OutcomeTally::group_index(const OutcomeRecord& record) {
  if (groups_.empty()) {
    groups_.emplace_back();
  }
  if (record.status == Status::accepted) {
    return 0;
  }
  std::string words = words_of(record);
  std::string key =
      fmt::format("{} {} {}", name_of(record.status), record.stage, run::masked_words(words));
  if (groups_.size() > groups_max && !group_of_.contains(key)) {
    words = "other reasons";
    key = fmt::format("{} others", name_of(record.status));
  }
  const auto [place, is_new] = group_of_.try_emplace(std::move(key), groups_.size());
  if (is_new) {
    groups_.push_back({.what = record.status,
                       .stage = std::string(record.stage),
                       .endpoint = std::string(record.endpoint),
                       .words = std::move(words),
                       .id = std::string(record.id),
                       .recipient = std::string(record.recipient)});
  }
  return place->second;
}

std::uint64_t OutcomeTally::recipients() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

std::vector<std::pair<std::string, StatusCounts>> OutcomeTally::endpoints() const {
  std::vector<std::pair<std::string, StatusCounts>> named;
  std::copy_if(endpoints_.begin(), endpoints_.end(), std::back_inserter(named),
               [](const auto& one) { return !one.first.empty(); });
  return named;
}

std::vector<FailureGroup> OutcomeTally::groups() const {
  std::vector<FailureGroup> failures;
  for (std::size_t i = 1; i < groups_.size(); ++i) {
    if (groups_[i].count > 0) {
      failures.push_back(groups_[i]);
    }
  }
  std::stable_sort(failures.begin(), failures.end(),
                   [](const auto& one, const auto& other) { return one.count > other.count; });
  return failures;
}

TimeSpread OutcomeTally::submit_times() const {
  engine::TimeSum sum;
  sum.add(times_);
  return sum.spread();
}

}  // namespace ringpost::cli
