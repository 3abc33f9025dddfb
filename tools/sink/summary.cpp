// The problem: people want a few lines, and scripts want all numbers under keys that stay. The
// idea: the keys are the words of the enumerations, so that a new count is in the JSON by itself;
// the text is put together by hand, and names only those violations that there were. Limits: in
// both, a fault appears only where it was done, as most pairs of kind and stage never are.
#include "tools/sink/summary.h"

#include <iterator>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/process/wording.h"
#include "tools/sink/limits_summary.h"

namespace ringpost::sink {

namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

double messages_per_second(const Summary& summary) {
  const double elapsed = seconds(summary.elapsed);
  return elapsed > 0 ? static_cast<double>(summary.tally[Count::messages_accepted]) / elapsed : 0;
}

// Calls `visit` for each fault that was done.
template <typename Visit>
void for_each_fault(const Tally& tally, Visit visit) {
  for (std::size_t kind = 0; kind < fault_kind_count; ++kind) {
    for (std::size_t stage = 0; stage < fault_stage_count; ++stage) {
      const auto fault_kind = static_cast<FaultKind>(kind);
      const auto fault_stage = static_cast<FaultStage>(stage);
      if (const std::uint64_t count = tally(fault_kind, fault_stage); count != 0) {
        visit(name_of(fault_kind), name_of(fault_stage), count);
      }
    }
  }
}

// One line a kind; nothing when none was done.
void append_faults(std::string& text, const Summary& summary) {
  if (summary.tally.faults_total() == 0) {
    return;
  }
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "faults      {}; {} ended with a reset", summary.tally.faults_total(),
                 cli::counted(summary.tally[Count::sessions_reset], "session"));
  std::string_view last_kind;
  for_each_fault(summary.tally,
                 [&](std::string_view kind, std::string_view stage, std::uint64_t count) {
                   if (kind != last_kind) {
                     fmt::format_to(out, "\n  {}", kind);
                     last_kind = kind;
                   }
                   fmt::format_to(out, " {} at {}", count, stage);
                 });
  text.push_back('\n');
}

}  // namespace

double Summary::cpu_microseconds_per_message() const {
  const auto messages = static_cast<double>(tally[Count::messages_accepted]);
  return messages > 0 ? seconds(cpu.total()) * 1e6 / messages : 0;
}

std::string summary_text(const Summary& summary) {
  const Tally& tally = summary.tally;
  std::string text;
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "sessions    {} ({} TLS, {} resumed, {} failed; {} lost, {} timed out)\n",
                 tally[Count::sessions], tally[Count::tls_sessions], tally[Count::tls_resumed],
                 tally[Count::tls_failed], tally[Count::sessions_lost],
                 tally[Count::sessions_timed_out]);
  fmt::format_to(out,
                 "messages    {} accepted, {} refused, {} deferred, {} ahead of a reply; {} "
                 "octets\n",
                 tally[Count::messages_accepted], tally[Count::messages_refused],
                 tally[Count::messages_deferred], tally[Count::messages_ahead],
                 tally[Count::content_bytes]);
  fmt::format_to(out, "recipients  {} accepted, {} refused, {} deferred; {} senders refused\n",
                 tally[Count::recipients_accepted], tally[Count::recipients_refused],
                 tally[Count::recipients_deferred], tally[Count::senders_refused]);
  fmt::format_to(out, "logins      {} good, {} bad\n", tally[Count::auth_succeeded],
                 tally[Count::auth_failed]);
  fmt::format_to(out, "violations  {}", tally.violations_total());
  const char* separator = ": ";
  for (std::size_t i = 0; i < violation_count; ++i) {
    if (tally.violations[i] != 0) {
      fmt::format_to(out, "{}{} {}", separator, tally.violations[i],
                     name_of(static_cast<Violation>(i)));
      separator = ", ";
    }
  }
  text.push_back('\n');
  append_faults(text, summary);
  if (summary.limits) {
    append_limits_text(text, *summary.limits);
  }
  fmt::format_to(out,
                 "CPU         {:.3f} s user, {:.3f} s system on {} thread{}; {:.2f} us a message\n",
                 seconds(summary.cpu.user), seconds(summary.cpu.system), summary.threads,
                 summary.threads == 1 ? "" : "s", summary.cpu_microseconds_per_message());
  fmt::format_to(out, "elapsed     {:.3f} s; {:.0f} messages/s\n", seconds(summary.elapsed),
                 messages_per_second(summary));
  if (!summary.record_failure.empty()) {
    fmt::format_to(out, "record      incomplete: {}\n", summary.record_failure);
  }
  return text;
}

std::string summary_json(const Summary& summary) {
  std::string json = "{";
  const auto out = std::back_inserter(json);
  for (std::size_t i = 0; i < count_count; ++i) {
    fmt::format_to(out, R"("{}":{},)", name_of(static_cast<Count>(i)), summary.tally.counts[i]);
  }
  fmt::format_to(out, R"("violations_total":{},"violations":{{)", summary.tally.violations_total());
  for (std::size_t i = 0; i < violation_count; ++i) {
    fmt::format_to(out, R"({}"{}":{})", i == 0 ? "" : ",", name_of(static_cast<Violation>(i)),
                   summary.tally.violations[i]);
  }
  json.append(R"(},"faults":{)");
  const char* separator = "";
  for_each_fault(summary.tally,
                 [&](std::string_view kind, std::string_view stage, std::uint64_t count) {
                   fmt::format_to(out, R"({}"{}@{}":{})", separator, kind, stage, count);
                   separator = ",";
                 });
  fmt::format_to(out, R"(}},"threads":{},"cpu_user_s":{:.6f},"cpu_system_s":{:.6f},)",
                 summary.threads, seconds(summary.cpu.user), seconds(summary.cpu.system));
  fmt::format_to(out, R"("cpu_us_per_message":{:.3f},"elapsed_s":{:.6f},"record_failure":)",
                 summary.cpu_microseconds_per_message(), seconds(summary.elapsed));
  if (summary.record_failure.empty()) {
    json.append("null");
  } else {
    codec::append_json_string(json, summary.record_failure);
  }
  json.append(R"(,"limits":)");
  if (summary.limits) {
    append_limits_json(json, *summary.limits);
  } else {
    json.append("null");
  }
  json.append("}\n");
  return json;
}

}  // namespace ringpost::sink
