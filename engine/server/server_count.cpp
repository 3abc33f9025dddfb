// The words stand in the order of their enumerations, apart from the header that every session
// includes: scripts read them in summaries, so they are only ever added to.
#include "engine/server/server_count.h"

#include <numeric>

namespace ringpost::server {

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

std::uint64_t ServerCounts::violations_total() const {
  return std::accumulate(violations.begin(), violations.end(), std::uint64_t{0});
}

}  // namespace ringpost::server
