// The problem: the end of a run is where people decide what to send again. The idea: each status
// stands with what it means for that, the most frequent reasons with the words of a real reply, and
// what nobody would look for is said, too: jobs that were not read, lines that were lost, an
// endpoint that did less than its share. Text and JSON are made of the same facts. Limits: five
// reasons; more stand in the outcome lines.
#include "tools/send/run_report.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <span>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "engine/protocol/unmatched_replies.h"
#include "tools/presets/reply_rule_setting.h"
#include "tools/process/statuses.h"
#include "tools/process/wording.h"
#include "tools/send/internal_report.h"
#include "tools/send/limits_report.h"
#include "tools/settings/key_table.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t groups_shown = 5;

double per_second(std::uint64_t count, const RunFacts& facts) {
  return static_cast<double>(count) / std::max(facts.seconds, 1e-3);
}

std::string_view advice(Status status) {
  switch (status) {
    case Status::unknown:
      return "the server may have accepted them; they are not sent again by themselves";
    case Status::deferred:
    case Status::unsent:
    case Status::expired:
      return "running them again may help";
    case Status::invalid:
      return "mend the jobs first";
    case Status::accepted:
    case Status::rejected:
    case Status::skipped:
      return "";
  }
  return "";
}

// "4,995 valid, nothing was sent: 61.3 MB of content, checked in 0.41 s"
void append_rehearsal(std::string& text, const RunFacts& facts) {
  const auto octets = static_cast<double>(*facts.bytes_rehearsed);
  const bool is_much = octets >= 1e6;
  fmt::format_to(std::back_inserter(text),
                 "{} valid, nothing was sent: {:.1f} {} of content, checked in {:.2f} s\n",
                 grouped_digits(facts.tally->of(Status::unsent)), octets / (is_much ? 1e6 : 1e3),
                 is_much ? "MB" : "KB", facts.seconds);
}

void append_statuses(std::string& text, const RunFacts& facts) {
  for (const Status status : statuses) {
    const std::uint64_t count = facts.tally->of(status);
    if (facts.bytes_rehearsed && (status == Status::accepted || status == Status::unsent)) {
      continue;
    }
    if (count > 0 || status == Status::accepted) {
      const std::string_view hint = advice(status);
      fmt::format_to(std::back_inserter(text), "{:<9}{:>10}{}{}\n", name_of(status), count,
                     hint.empty() ? "" : "   ", hint);
    }
  }
}

// As a line among the statuses: these jobs have none.
void append_unread(std::string& text, const RunFacts& facts) {
  if (!facts.stopped_early) {
    return;
  }
  const std::string count =
      facts.jobs_unread ? fmt::format("{}", *facts.jobs_unread) : std::string("unknown");
  const std::string place =
      facts.unread_from.empty() ? "" : "; they begin at " + printable(facts.unread_from);
  fmt::format_to(std::back_inserter(text),
                 "{:<9}{:>10}   no outcome line of this run speaks of them{}\n", "not read", count,
                 place);
}

void append_json_unread(std::string& json, const RunFacts& facts) {
  if (!facts.stopped_early) {
    return;
  }
  fmt::format_to(std::back_inserter(json), ",\"jobs_unread\":{},\"unread_from\":",
                 facts.jobs_unread ? fmt::format("{}", *facts.jobs_unread) : "null");
  codec::append_json_string(json, facts.unread_from);
}

void append_json_statuses(std::string& json, const RunFacts& facts) {
  json += "\"recipients\":{";
  for (const Status status : statuses) {
    fmt::format_to(std::back_inserter(json), "{}\"{}\":{}", status == Status::accepted ? "" : ",",
                   name_of(status), facts.tally->of(status));
  }
  json += "}";
}

void append_json_common(std::string& json, const RunFacts& facts) {
  append_json_statuses(json, facts);
  fmt::format_to(std::back_inserter(json),
                 ",\"jobs\":{},\"seconds\":{:.3f},\"messages_per_second\":{:.0f},"
                 "\"content_bytes\":{},\"sessions_opened\":{},\"sessions_ready\":{},"
                 "\"sessions_resumed\":{}",
                 facts.jobs_read, facts.seconds,
                 per_second(facts.tally->of(Status::accepted), facts),
                 facts.statistics.content_bytes, facts.statistics.sessions_opened,
                 facts.statistics.sessions_ready, facts.statistics.sessions_resumed);
}

// "10 sessions, 9 resumed"
std::string sessions_text(const EngineStatistics& statistics) {
  std::string text = fmt::format("{} session{}", statistics.sessions_ready,
                                 statistics.sessions_ready == 1 ? "" : "s");
  if (statistics.sessions_resumed > 0) {
    text += fmt::format(", TLS resumed in {}", statistics.sessions_resumed);
  }
  return text;
}

// "BDAT flights", or "ses: lock-step, relay: DATA groups".
std::string pipelining_text(std::span<const EndpointReport> endpoints) {
  std::string text;
  for (const EndpointReport& endpoint : endpoints) {
    if (endpoint.pipelining.empty()) {
      continue;
    }
    text += text.empty() ? "" : ", ";
    text += endpoints.size() > 1 ? printable(endpoint.endpoint) + ": " : "";
    text += endpoint.pipelining;
  }
  return text;
}

// Which port was used, where it is not the one that was wanted first, and why.
void append_ports(std::string& text, const RunFacts& facts) {
  for (const EndpointReport& endpoint : facts.endpoints) {
    if (!endpoint.why_port.empty()) {
      fmt::format_to(std::back_inserter(text), "endpoint {} uses port {}: {}\n",
                     printable(endpoint.endpoint), endpoint.port.port, endpoint.why_port);
    }
  }
}

void append_json_ports(std::string& json, const EndpointReport& endpoint) {
  fmt::format_to(std::back_inserter(json),
                 ",\"port\":{},\"security\":\"{}\",\"ports_passed_over\":[", endpoint.port.port,
                 name_of(endpoint.port.security));
  for (const PassedOverPort& other : endpoint.ports_passed_over) {
    fmt::format_to(std::back_inserter(json), "{}{{\"port\":{},\"why\":\"{}\"}}",
                   json.back() == '[' ? "" : ",", other.port, other.why);
  }
  json += "]";
}

// What did not work of ways of speaking, and why.
void append_fall_backs(std::string& text, const RunFacts& facts) {
  for (const EndpointReport& endpoint : facts.endpoints) {
    for (const std::string& fall_back : endpoint.fall_backs) {
      fmt::format_to(std::back_inserter(text), "endpoint {} {}\n", printable(endpoint.endpoint),
                     printable(fall_back));
    }
  }
}

// Endpoints that did not do their part while others idled, perhaps.
void append_shares(std::string& text, const RunFacts& facts) {
  for (std::size_t i = 0; i < facts.endpoints.size(); ++i) {
    if (const std::uint64_t gone = facts.endpoints[i].handed_over; gone > 0) {
      fmt::format_to(std::back_inserter(text),
                     "endpoint {} did not answer for a while: {} transaction{} meant for it went "
                     "to others\n",
                     printable(facts.endpoints[i].endpoint), gone, gone == 1 ? "" : "s");
    }
    const std::uint64_t left = facts.tally->left_by(i);
    if (left > 0 && facts.tally->another_accepts(i)) {
      fmt::format_to(std::back_inserter(text),
                     "endpoint {} left {} recipient{} of its share unsent while another endpoint "
                     "worked: their jobs name it, or may have been sent there; send these again\n",
                     printable(facts.endpoints[i].endpoint), left, left == 1 ? "" : "s");
    }
  }
}

// The table that would rule a kind of refusals, for people to change; empty: they have no words in
// common.
std::string rule_for(const std::string& endpoint, const UnruledRefusal& refusal) {
  if (refusal.words.empty()) {
    return {};
  }
  protocol::UnmatchedReply kind;
  kind.stage = refusal.stage;
  kind.code = refusal.code;
  kind.enhanced = refusal.enhanced;
  kind.words = refusal.words;
  kind.scope = protocol::rule_scope_named(refusal.scope).value_or(kind.scope);
  kind.action = protocol::rule_action_named(refusal.action).value_or(kind.action);
  return reply_rule_text(kind.rule(), rule_heading(endpoint));
}

// What nobody has a rule for was judged by its code alone.
void append_unruled(std::string& text, const RunFacts& facts) {
  constexpr std::size_t rules_shown = 3;
  for (const EndpointReport& endpoint : facts.endpoints) {
    if (endpoint.refusals_unruled == 0) {
      continue;
    }
    fmt::format_to(std::back_inserter(text),
                   "endpoint {}: {} refusal{} fitted no reply rule and went by the code alone; in "
                   "ringpost.toml this would rule them, with another scope or action where they "
                   "mean something else:\n",
                   printable(endpoint.endpoint), endpoint.refusals_unruled,
                   endpoint.refusals_unruled == 1 ? "" : "s");
    for (std::size_t i = 0; i < std::min(rules_shown, endpoint.unruled.size()); ++i) {
      const std::string rule = rule_for(endpoint.endpoint, endpoint.unruled[i]);
      text += rule.empty() ? ""
                           : fmt::format("# {} time{}\n{}", endpoint.unruled[i].count,
                                         endpoint.unruled[i].count == 1 ? "" : "s", rule);
    }
  }
}

void append_json_unruled(std::string& json, const EndpointReport& endpoint) {
  fmt::format_to(std::back_inserter(json), ",\"refusals_unruled\":{},\"rules_proposed\":[",
                 endpoint.refusals_unruled);
  for (const UnruledRefusal& refusal : endpoint.unruled) {
    const std::string rule = rule_for(endpoint.endpoint, refusal);
    if (!rule.empty()) {
      json += json.back() == '[' ? "" : ",";
      codec::append_json_string(json, rule);
    }
  }
  json += "]";
}

// Where they are, or that they are not there.
void append_outcomes_path(std::string& text, const RunFacts& facts) {
  for (const run::LostLines& lost : facts.lost_lines) {
    fmt::format_to(std::back_inserter(text),
                   "outcomes: {} line{} missing from {}, which could not be written\n", lost.count,
                   lost.count == 1 ? " is" : "s are", printable(lost.path));
  }
  const bool is_whole =
      std::none_of(facts.lost_lines.begin(), facts.lost_lines.end(),
                   [&](const run::LostLines& lost) { return lost.path == facts.outcomes_path; });
  const Status as_wished = facts.bytes_rehearsed ? Status::unsent : Status::accepted;
  if (!facts.keeps_outcomes && facts.tally->total() > facts.tally->of(as_wished)) {
    text += "outcomes: none were kept; -o FILE has a line with the reason for each recipient\n";
  }
  if (!facts.outcomes_path.empty() && is_whole) {
    fmt::format_to(std::back_inserter(text), "outcomes: {}\n", facts.outcomes_path);
  }
}

void append_json_lost(std::string& json, const RunFacts& facts) {
  if (facts.lost_lines.empty()) {
    return;
  }
  json += ",\"lost_lines\":{";
  for (const run::LostLines& lost : facts.lost_lines) {
    json += json.back() == '{' ? "" : ",";
    codec::append_json_string(json, lost.path);
    fmt::format_to(std::back_inserter(json), ":{}", lost.count);
  }
  json += "}";
}

// "; waiting for mx.example:587 for 12 s"
void append_away(std::string& text, const RunFacts& facts) {
  for (const EndpointReport& endpoint : facts.endpoints) {
    if (endpoint.away_for) {
      fmt::format_to(std::back_inserter(text), "  waiting for {} since {:.0f} s",
                     printable(endpoint.endpoint),
                     std::chrono::duration<double>(*endpoint.away_for).count());
    }
  }
}

void append_json_away(std::string& json, const RunFacts& facts) {
  json += ",\"endpoints_away\":[";
  bool first = true;
  for (const EndpointReport& endpoint : facts.endpoints) {
    if (!endpoint.away_for) {
      continue;
    }
    json += first ? "{\"endpoint\":" : ",{\"endpoint\":";
    first = false;
    codec::append_json_string(json, endpoint.endpoint);
    fmt::format_to(std::back_inserter(json), ",\"seconds\":{:.1f},\"error\":",
                   std::chrono::duration<double>(*endpoint.away_for).count());
    codec::append_json_string(json, endpoint.trouble);
    json += "}";
  }
  json += "]";
}

void append_speed(std::string& text, const RunFacts& facts) {
  const double accepted_per_second = per_second(facts.tally->of(Status::accepted), facts);
  fmt::format_to(std::back_inserter(text),
                 "{} jobs in {:.2f} s: {:.0f} messages/s, {:.1f} MB/s of content\n",
                 facts.jobs_read, facts.seconds, accepted_per_second,
                 per_second(facts.statistics.content_bytes, facts) / 1e6);
  const std::string pipelining = pipelining_text(facts.endpoints);
  fmt::format_to(std::back_inserter(text), "{}{}{}\n", sessions_text(facts.statistics),
                 pipelining.empty() ? "" : "; ", pipelining);
  append_ports(text, facts);
  append_limits(text, facts);
  append_fall_backs(text, facts);
}

// In a dry run those who are `unsent` are as they should be.
void append_groups(std::string& text, const RunFacts& facts) {
  std::vector<run::ReplyGroup> groups = facts.tally->groups(groups_shown + 1);
  if (facts.bytes_rehearsed) {
    std::erase_if(groups,
                  [](const run::ReplyGroup& group) { return group.status == Status::unsent; });
  }
  groups.resize(std::min(groups.size(), groups_shown));
  if (!groups.empty()) {
    text += "most frequent reasons:\n";
  }
  for (const run::ReplyGroup& group : groups) {
    fmt::format_to(std::back_inserter(text), "{:>10}  {} at {}: {}\n", group.count,
                   name_of(group.status), name_of(group.stage), printable(group.words));
  }
}

}  // namespace

std::string summary_text(const RunFacts& facts) {
  std::string text;
  if (facts.bytes_rehearsed) {
    append_rehearsal(text, facts);
  }
  append_statuses(text, facts);
  append_unread(text, facts);
  if (!facts.bytes_rehearsed) {
    append_speed(text, facts);
  }
  append_groups(text, facts);
  for (const EndpointFailure& failure : facts.failures) {
    fmt::format_to(std::back_inserter(text), "endpoint {} was given up at {}: {}\n",
                   failure.endpoint, failure.stage, printable(failure.message));
  }
  append_shares(text, facts);
  append_unruled(text, facts);
  append_outcomes_path(text, facts);
  if (facts.internal) {
    append_internal_text(text, facts);
  }
  return text;
}

std::string summary_json(const RunFacts& facts) {
  std::string json = "{\"summary\":{";
  append_json_common(json, facts);
  if (facts.bytes_rehearsed) {
    fmt::format_to(std::back_inserter(json), ",\"bytes_rehearsed\":{}", *facts.bytes_rehearsed);
  }
  fmt::format_to(std::back_inserter(json), ",\"turns\":{},\"ring_enters\":{}",
                 facts.statistics.turns, facts.statistics.ring_enters);
  json += ",\"endpoints\":[";
  for (std::size_t i = 0; i < facts.endpoints.size(); ++i) {
    json += i == 0 ? "{\"endpoint\":" : ",{\"endpoint\":";
    codec::append_json_string(json, facts.endpoints[i].endpoint);
    json += ",\"pipelining\":";
    codec::append_json_string(json, facts.endpoints[i].pipelining);
    json += ",\"fall_backs\":[";
    for (const std::string& fall_back : facts.endpoints[i].fall_backs) {
      json += json.back() == '[' ? "" : ",";
      codec::append_json_string(json, fall_back);
    }
    fmt::format_to(std::back_inserter(json), "],\"left\":{},\"handed_over\":{}",
                   facts.tally->left_by(i), facts.endpoints[i].handed_over);
    append_json_ports(json, facts.endpoints[i]);
    append_json_limits(json, facts.endpoints[i], facts);
    append_json_unruled(json, facts.endpoints[i]);
    json += "}";
  }
  json += "],\"endpoint_failures\":[";
  for (std::size_t i = 0; i < facts.failures.size(); ++i) {
    const EndpointFailure& failure = facts.failures[i];
    json += i == 0 ? "{\"endpoint\":" : ",{\"endpoint\":";
    codec::append_json_string(json, failure.endpoint);
    json += ",\"stage\":";
    codec::append_json_string(json, failure.stage);
    json += ",\"message\":";
    codec::append_json_string(json, failure.message);
    json += "}";
  }
  json += "]";
  if (facts.internal) {
    append_internal_json(json, facts);
  }
  append_json_unread(json, facts);
  append_json_lost(json, facts);
  if (facts.signal != 0) {
    fmt::format_to(std::back_inserter(json), ",\"signal\":{}", facts.signal);
  }
  json += "}}\n";
  return json;
}

std::string progress_text(const RunFacts& facts) {
  std::string text;
  const std::uint64_t total = facts.tally->total();
  const std::uint64_t accepted = facts.tally->of(Status::accepted);
  if (facts.bytes_total > 0) {
    const double share =
        static_cast<double>(facts.bytes_read) / static_cast<double>(facts.bytes_total);
    fmt::format_to(std::back_inserter(text), "{:3.0f}% read  ", std::min(share, 1.0) * 100);
  }
  fmt::format_to(std::back_inserter(text), "{} accepted  {} other  {:.0f}/s  {:.0f} s", accepted,
                 total - accepted, per_second(accepted, facts), facts.seconds);
  append_away(text, facts);
  append_foremost_limit(text, facts);
  return text;
}

std::string progress_json(const RunFacts& facts) {
  std::string json = "{\"progress\":{";
  append_json_common(json, facts);
  append_json_away(json, facts);
  json += "}}\n";
  return json;
}

}  // namespace ringpost::cli
