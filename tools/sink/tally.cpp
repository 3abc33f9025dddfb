#include "tools/sink/tally.h"

#include <numeric>

namespace ringpost::sink {

namespace {

constexpr std::array<std::string_view, count_count> count_names = {
    "sessions",           "sessions_refused",    "sessions_lost",
    "sessions_timed_out", "tls_sessions",        "tls_resumed",
    "tls_failed",         "auth_succeeded",      "auth_failed",
    "commands",           "senders_refused",     "recipients_accepted",
    "recipients_refused", "recipients_deferred", "messages_accepted",
    "messages_refused",   "messages_deferred",   "content_bytes",
    "sessions_reset",     "messages_ahead"};

constexpr std::array<std::string_view, violation_count> violation_names = {
    "bare_lf",
    "bare_cr",
    "nul",
    "long_command_line",
    "long_content_line",
    "stuffing",
    "pipelining",
    "sequence",
    "syntax",
    "unannounced",
    "undeclared_8bit",
    "undeclared_utf8",
    "size_mismatch",
    "plaintext_behind_starttls",
    "unauthenticated",
    "unread_replies"};

}  // namespace

std::string_view name_of(Count count) { return count_names[static_cast<std::size_t>(count)]; }

std::string_view name_of(Violation violation) {
  return violation_names[static_cast<std::size_t>(violation)];
}

std::uint64_t Tally::violations_total() const {
  return std::accumulate(violations.begin(), violations.end(), std::uint64_t{0});
}

std::uint64_t Tally::faults_total() const {
  return std::accumulate(faults.begin(), faults.end(), std::uint64_t{0});
}

Tally& Tally::operator+=(const Tally& other) {
  for (std::size_t i = 0; i < count_count; ++i) {
    counts[i] += other.counts[i];
  }
  for (std::size_t i = 0; i < violation_count; ++i) {
    violations[i] += other.violations[i];
  }
  for (std::size_t i = 0; i < faults.size(); ++i) {
    faults[i] += other.faults[i];
  }
  return *this;
}

void PublishedTally::publish(const Tally& tally) {
  // Stores of one writer: no read-modify-write is needed.
  for (std::size_t i = 0; i < count_count; ++i) {
    numbers_[i].store(tally.counts[i], std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < violation_count; ++i) {
    numbers_[count_count + i].store(tally.violations[i], std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    faults_[i].store(tally.faults[i], std::memory_order_relaxed);
  }
}

Tally PublishedTally::read() const {
  Tally tally;
  for (std::size_t i = 0; i < count_count; ++i) {
    tally.counts[i] = numbers_[i].load(std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < violation_count; ++i) {
    tally.violations[i] = numbers_[count_count + i].load(std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    tally.faults[i] = faults_[i].load(std::memory_order_relaxed);
  }
  return tally;
}

}  // namespace ringpost::sink
