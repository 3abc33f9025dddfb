// The names stand in outcome lines that users have stored, so none of them ever changes; they have
// the order of the enumerations. What is cleared keeps its capacity: an outcome is written for one
// recipient after the other.
#include <array>

#include <ringpost/outcome.h>

namespace ringpost {

namespace {

constexpr std::array<std::string_view, status_count> status_names = {
    "accepted", "rejected", "deferred", "unsent", "unknown", "invalid", "expired", "skipped"};

constexpr std::array<std::string_view, stage_count> stage_names = {
    "local", "connect", "greeting", "ehlo", "starttls", "tls",
    "auth",  "mail",    "rcpt",     "data", "eod"};

}  // namespace

std::string_view name_of(Status status) { return status_names[static_cast<std::size_t>(status)]; }

std::string_view name_of(Stage stage) { return stage_names[static_cast<std::size_t>(stage)]; }

void Outcome::clear() {
  status = Status::unsent;
  stage = Stage::local;
  code = 0;
  enhanced = {};
  text.clear();
  reason.clear();
  queue_id.clear();
  attempts = 0;
  timestamp_us = 0;
  queue_ms = submit_ms = total_ms = 0;
  endpoint = 0;
  peer.clear();
}

}  // namespace ringpost
