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
#include "engine/io/make_io.h"
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
constexpr std::size_t groups_in_json = 20;

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

// "10 sessions of 12 connects, TLS resumed in 9"
std::string sessions_text(std::uint64_t ready, std::uint64_t opened, std::uint64_t resumed) {
  std::string text = counted(ready, "session");
  if (opened > ready) {
    text += fmt::format(" of {} connects", opened);
  }
  if (resumed > 0) {
    text += fmt::format(", TLS resumed in {}", resumed);
  }
  return text;
}

// "p50 12 ms, p90 20 ms, p99 240 ms, p99.9 1100 ms, at most 2300 ms"
std::string spread_text(const TimeSpread& spread) {
  return fmt::format("p50 {}, p90 {}, p99 {}, p99.9 {}, at most {}", time_text(spread.p50),
                     time_text(spread.p90), time_text(spread.p99), time_text(spread.p999),
                     time_text(spread.max));
}

void append_times(std::string& text, const EndpointCounts& counts) {
  if (counts.reply_times.count > 0) {
    text += "reply to a message: " + spread_text(counts.reply_times) + "\n";
  }
  if (counts.opening_times.count > 0) {
    fmt::format_to(std::back_inserter(text), "opening a session: p50 {}, p99 {}, at most {}\n",
                   time_text(counts.opening_times.p50), time_text(counts.opening_times.p99),
                   time_text(counts.opening_times.max));
  }
}

// Where there are several, what each has done.
void append_endpoints(std::string& text, const RunFacts& facts) {
  for (std::size_t i = 0; facts.endpoints.size() > 1 && i < facts.endpoints.size(); ++i) {
    const EndpointCounts& counts = facts.endpoints[i].counts;
    fmt::format_to(std::back_inserter(text),
                   "endpoint {}:", printable(facts.endpoints[i].endpoint));
    for (const Status status : statuses) {
      const std::uint64_t count = facts.tally->of_endpoint(i, status);
      // What never came to an endpoint counts for none.
      const bool is_local = status == Status::invalid || status == Status::skipped;
      if (!is_local && (count > 0 || status == Status::accepted)) {
        fmt::format_to(std::back_inserter(text), " {} {},", name_of(status), grouped_digits(count));
      }
    }
    text +=
        " " + sessions_text(counts.sessions_ready, counts.sessions_opened, counts.sessions_resumed);
    if (counts.reply_times.count > 0) {
      fmt::format_to(std::back_inserter(text), "; reply p50 {}, p99 {}",
                     time_text(counts.reply_times.p50), time_text(counts.reply_times.p99));
    }
    text += "\n";
  }
}

void append_next_steps(std::string& text, const RunFacts& facts) {
  for (const NextStep& step : facts.next_steps) {
    fmt::format_to(std::back_inserter(text), "next: {}:\n  {}\n", step.why,
                   printable(step.command));
  }
}

void append_json_next_steps(std::string& json, const RunFacts& facts) {
  json += ",\"next_steps\":[";
  for (const NextStep& step : facts.next_steps) {
    json += json.back() == '[' ? "{\"why\":" : ",{\"why\":";
    codec::append_json_string(json, step.why);
    json += ",\"command\":";
    codec::append_json_string(json, step.command);
    json += "}";
  }
  json += "]";
}

// In a dry run those who are `unsent` are as they should be.
std::vector<run::ReplyGroup> groups_of(const RunFacts& facts, std::size_t most) {
  std::vector<run::ReplyGroup> groups = facts.tally->groups(most + 1);
  if (facts.bytes_rehearsed) {
    std::erase_if(groups,
                  [](const run::ReplyGroup& group) { return group.status == Status::unsent; });
  }
  groups.resize(std::min(groups.size(), most));
  return groups;
}

// All but what was accepted, in groups.
void append_json_reasons(std::string& json, const RunFacts& facts) {
  json += ",\"reasons\":[";
  for (const run::ReplyGroup& group : groups_of(facts, groups_in_json)) {
    fmt::format_to(
        std::back_inserter(json), "{}{{\"count\":{},\"status\":\"{}\",\"stage\":\"{}\",\"sample\":",
        json.back() == '[' ? "" : ",", group.count, name_of(group.status), name_of(group.stage));
    codec::append_json_string(json, group.words);
    json += ",\"id\":";
    codec::append_json_string(json, group.id);
    json += "}";
  }
  json += "]";
}

void append_json_counts(std::string& json, const EndpointCounts& counts) {
  fmt::format_to(std::back_inserter(json), ",\"transactions\":{}", counts.transactions);
  append_json_spread(json, "reply_ms", counts.reply_times);
  append_json_spread(json, "opening_ms", counts.opening_times);
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

void append_speed(std::string& text, const RunFacts& facts) {
  const double accepted_per_second = per_second(facts.tally->of(Status::accepted), facts);
  fmt::format_to(std::back_inserter(text),
                 "{} in {:.2f} s: {:.0f} messages/s, {:.1f} MB/s of content\n",
                 counted(facts.jobs_read, "job"), facts.seconds, accepted_per_second,
                 per_second(facts.statistics.content_bytes, facts) / 1e6);
  const std::string pipelining = pipelining_text(facts.endpoints);
  fmt::format_to(std::back_inserter(text), "{}{}{}\n",
                 sessions_text(facts.statistics.sessions_ready, facts.statistics.sessions_opened,
                               facts.statistics.sessions_resumed),
                 pipelining.empty() ? "" : "; ", pipelining);
  append_times(text, facts.counts);
  append_endpoints(text, facts);
  append_ports(text, facts);
  append_limits(text, facts);
  append_fall_backs(text, facts);
}

void append_groups(std::string& text, const RunFacts& facts) {
  const std::vector<run::ReplyGroup> groups = groups_of(facts, groups_shown);
  if (!groups.empty()) {
    text += "most frequent reasons:\n";
  }
  for (const run::ReplyGroup& group : groups) {
    fmt::format_to(std::back_inserter(text), "{:>10}  {} at {}: {}{}{}\n", group.count,
                   name_of(group.status), name_of(group.stage), printable(group.words),
                   group.id.empty() ? "" : "; such as job ", printable(group.id));
  }
}

}  // namespace

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

void append_json_spread(std::string& json, std::string_view name, const TimeSpread& spread) {
  const auto ms = [](Duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
  };
  fmt::format_to(std::back_inserter(json),
                 ",\"{}\":{{\"count\":{},\"p50\":{:.3f},\"p90\":{:.3f},\"p99\":{:.3f},"
                 "\"p999\":{:.3f},\"max\":{:.3f}}}",
                 name, spread.count, ms(spread.p50), ms(spread.p90), ms(spread.p99),
                 ms(spread.p999), ms(spread.max));
}

void append_json_endpoint_statuses(std::string& json, const RunFacts& facts, std::size_t endpoint) {
  json += "\"recipients\":{";
  for (const Status status : statuses) {
    fmt::format_to(std::back_inserter(json), "{}\"{}\":{}", status == Status::accepted ? "" : ",",
                   name_of(status), facts.tally->of_endpoint(endpoint, status));
  }
  json += "}";
}

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
  append_next_steps(text, facts);
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
  fmt::format_to(std::back_inserter(json), ",\"turns\":{},\"ring_enters\":{},\"io\":\"{}\"",
                 facts.statistics.turns, facts.statistics.ring_enters,
                 io::name_of(facts.statistics.io));
  append_json_counts(json, facts.counts);
  append_json_reasons(json, facts);
  append_json_next_steps(json, facts);
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
    json += ",";
    append_json_endpoint_statuses(json, facts, i);
    const EndpointCounts& counts = facts.endpoints[i].counts;
    fmt::format_to(std::back_inserter(json),
                   ",\"sessions_opened\":{},\"sessions_ready\":{},\"sessions_resumed\":{}",
                   counts.sessions_opened, counts.sessions_ready, counts.sessions_resumed);
    append_json_counts(json, counts);
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

}  // namespace ringpost::cli
