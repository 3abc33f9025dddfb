// The problem: a report is printed, written as Markdown and shown as a page, and says the same each
// time. The idea: its sentences and its choice stand here. Limits: lists of files are not quoted
// for a shell.
#include "tools/report/report_words.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "codec/text/unix_date.h"
#include "tools/plan/plan_report.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

std::optional<Duration> report_span(const OutcomeTally& tally) {
  const auto first = codec::parse_rfc3339(tally.first_time());
  const auto last = codec::parse_rfc3339(tally.last_time());
  if (!first || !last) {
    return std::nullopt;
  }
  return std::chrono::duration_cast<Duration>(std::chrono::microseconds(*last - *first));
}

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string share_text(std::uint64_t part, std::uint64_t whole) {
  return fmt::format(
      "{:.1f} %",
      whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string recipients_text(std::uint64_t count) {
  return fmt::format("{} recipient{}", grouped_digits(count), count == 1 ? "" : "s");
}

std::string when_text(const OutcomeTally& tally) {
  const auto span = report_span(tally);
  if (!span) {
    return {};
  }
  std::string text =
      fmt::format("from {} to {} ({}", tally.first_time(), tally.last_time(), span_text(*span));
  if (seconds_of(*span) >= 1) {
    text += fmt::format(", {:.0f} a second",
                        static_cast<double>(tally.recipients()) / seconds_of(*span));
  }
  return text + ")";
}

std::string times_text(const TimeSpread& times) {
  return fmt::format("p50 {}, p90 {}, p99 {}, p99.9 {}, max {}", time_text(times.p50),
                     time_text(times.p90), time_text(times.p99), time_text(times.p999),
                     time_text(times.max));
}

std::vector<std::string> advice(const ReportInput& input, const OutcomeTally& tally) {
  std::vector<std::string> lines;
  const std::string files = joined(input.files, " ");
  if (const std::uint64_t again = tally.of(Status::deferred) + tally.of(Status::unsent);
      again > 0) {
    lines.push_back(fmt::format("{} may get it yet: the same command with --retry-from {}",
                                recipients_text(again), files));
  }
  if (const std::uint64_t unknown = tally.of(Status::unknown); unknown > 0) {
    lines.push_back(fmt::format(
        "{} may have it or not: ask the provider, or resume a journal with --on-unknown",
        recipients_text(unknown)));
  }
  if (const std::uint64_t rejected = tally.of(Status::rejected); rejected > 0) {
    lines.push_back(fmt::format(
        "{} had a no for good: mend what the reasons say, or leave them out (--suppress {})",
        recipients_text(rejected), files));
  }
  if (const std::uint64_t invalid = tally.of(Status::invalid); invalid > 0) {
    lines.push_back(fmt::format("{} had no message that can be sent: mend the jobs, and send those",
                                recipients_text(invalid)));
  }
  return lines;
}

std::string sample_text(const FailureGroup& group) {
  return group.recipient.empty()
             ? printable(group.id)
             : fmt::format("{}, {}", printable(group.id), printable(group.recipient));
}

std::string group_head(const FailureGroup& group) {
  return fmt::format("{} at {}", name_of(group.what),
                     group.stage.empty() ? std::string("?") : printable(group.stage));
}

ShownGroups shown_groups(const ReportInput& input, const OutcomeTally& tally) {
  ShownGroups shown{.groups = tally.groups()};
  const std::size_t most = std::min(shown.groups.size(), input.groups_shown);
  for (std::size_t i = most; i < shown.groups.size(); ++i) {
    shown.others_count += shown.groups[i].count;
  }
  shown.others = shown.groups.size() - most;
  shown.groups.resize(most);
  return shown;
}

}  // namespace ringpost::cli
