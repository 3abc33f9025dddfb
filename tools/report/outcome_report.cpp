// The problem: after a run of a million somebody asks three things: how many have it, who has not
// and why, and what to do now. The idea: these in this order, in the words of the servers, with one
// real reply for each reason. Limits: reasons beyond the first are summed up; the list of everybody
// is the CSV's.
#include "tools/report/outcome_report.h"

#include <chrono>
#include <numeric>

#include <fmt/format.h>

#include "tools/probe/json_writer.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

// A cell of a table, which neither ends it nor begins another one.
std::string cell(Bytes text) {
  std::string out;
  for (const char c : printable(text)) {
    out += c == '|' ? "\\|" : c == '<' ? "&lt;" : c == '`' ? "\\`" : std::string(1, c);
  }
  return out;
}

void append_status_rows(std::string& text, const OutcomeTally& tally) {
  for (const Status status : report_statuses) {
    if (const std::uint64_t count = tally.of(status); count > 0) {
      text += fmt::format("  {:<9} {:>12}  {:>7}\n", name_of(status), grouped_digits(count),
                          share_text(count, tally.recipients()));
    }
  }
}

void append_endpoint_rows(std::string& text, const OutcomeTally& tally) {
  const auto endpoints = tally.endpoints();
  if (endpoints.size() < 2) {
    return;
  }
  text += "\nBy endpoint:\n";
  for (const auto& [name, counts] : endpoints) {
    std::string words;
    for (const Status status : report_statuses) {
      const std::uint64_t count = counts[static_cast<std::size_t>(status)];
      if (count > 0) {
        words += fmt::format("{}{} {}", words.empty() ? "" : ", ", grouped_digits(count),
                             name_of(status));
      }
    }
    text += fmt::format("  {}: {}\n", printable(name), words);
  }
}

void append_group_rows(std::string& text, const ReportInput& input, const OutcomeTally& tally) {
  const ShownGroups shown = shown_groups(input, tally);
  if (shown.groups.empty()) {
    return;
  }
  text += "\nWhy, in the words that were said, with one of them each:\n";
  for (const FailureGroup& group : shown.groups) {
    text += fmt::format("  {:>9}  {}: {}\n             {}\n", grouped_digits(group.count),
                        group_head(group), group.words, sample_text(group));
  }
  if (shown.others > 0) {
    text +=
        fmt::format("  {:>9}  for {} more reasons (--top {})\n", grouped_digits(shown.others_count),
                    shown.others, input.groups_shown + shown.others);
  }
}

void append_json_statuses_of(JsonWriter& json, std::string_view name, const StatusCounts& counts) {
  json.open(name, '{');
  for (const Status status : report_statuses) {
    json.number(name_of(status),
                static_cast<std::int64_t>(counts[static_cast<std::size_t>(status)]));
  }
  json.close('}');
}

void append_json_times(JsonWriter& json, const TimeSpread& times) {
  const auto ms = [](Duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
  };
  json.open("submit_ms", '{');
  json.number("count", static_cast<std::int64_t>(times.count));
  json.decimal("p50", ms(times.p50));
  json.decimal("p90", ms(times.p90));
  json.decimal("p99", ms(times.p99));
  json.decimal("p999", ms(times.p999));
  json.decimal("max", ms(times.max));
  json.close('}');
}

}  // namespace

std::string report_text(const ReportInput& input, const OutcomeTally& tally) {
  std::string text =
      fmt::format("{} in {}\n", recipients_text(tally.recipients()), joined(input.files, ", "));
  if (const std::string when = when_text(tally); !when.empty()) {
    text += "  " + when + "\n";
  }
  append_status_rows(text, tally);
  if (const TimeSpread times = tally.submit_times(); times.count > 0) {
    text +=
        fmt::format("\nFrom MAIL to the last reply, of those accepted: {}\n", times_text(times));
  }
  append_endpoint_rows(text, tally);
  append_group_rows(text, input, tally);
  const std::vector<std::string> next = advice(input, tally);
  text += next.empty() ? "" : "\nWhat to do:\n";
  for (const std::string& line : next) {
    text += "  " + line + "\n";
  }
  for (const std::string& remark : input.remarks) {
    text += "\n" + remark + "\n";
  }
  return text;
}

std::string report_markdown(const ReportInput& input, const OutcomeTally& tally) {
  std::string text = fmt::format("# {} in {}\n\n", recipients_text(tally.recipients()),
                                 cell(joined(input.files, ", ")));
  if (const std::string when = when_text(tally); !when.empty()) {
    text += when + "\n\n";
  }
  text += "| status | recipients | share |\n| --- | ---: | ---: |\n";
  for (const Status status : report_statuses) {
    if (const std::uint64_t count = tally.of(status); count > 0) {
      text += fmt::format("| {} | {} | {} |\n", name_of(status), grouped_digits(count),
                          share_text(count, tally.recipients()));
    }
  }
  if (const TimeSpread times = tally.submit_times(); times.count > 0) {
    text +=
        fmt::format("\nFrom MAIL to the last reply, of those accepted: {}.\n", times_text(times));
  }
  if (const auto endpoints = tally.endpoints(); endpoints.size() > 1) {
    text +=
        "\n| endpoint | accepted | rejected | deferred | others |\n"
        "| --- | ---: | ---: | ---: | ---: |\n";
    for (const auto& [name, counts] : endpoints) {
      const std::uint64_t sum = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
      text += fmt::format("| {} | {} | {} | {} | {} |\n", cell(name), grouped_digits(counts[0]),
                          grouped_digits(counts[1]), grouped_digits(counts[2]),
                          grouped_digits(sum - counts[0] - counts[1] - counts[2]));
    }
  }
  const ShownGroups shown = shown_groups(input, tally);
  if (!shown.groups.empty()) {
    text += "\n| recipients | what | words | one of them |\n| ---: | --- | --- | --- |\n";
    for (const FailureGroup& group : shown.groups) {
      text += fmt::format("| {} | {} | {} | {} |\n", grouped_digits(group.count), group_head(group),
                          cell(group.words), cell(sample_text(group)));
    }
    if (shown.others > 0) {
      text += fmt::format("| {} | | {} more reasons | |\n", grouped_digits(shown.others_count),
                          shown.others);
    }
  }
  for (const std::string& line : advice(input, tally)) {
    text += fmt::format("\n- {}", cell(line));
  }
  text += input.remarks.empty() ? "\n" : "\n\n";
  for (const std::string& remark : input.remarks) {
    text += cell(remark) + "\n";
  }
  return text;
}

std::string report_json(const ReportInput& input, const OutcomeTally& tally) {
  JsonWriter json;
  json.open('{');
  json.texts("files", input.files);
  json.number("total", static_cast<std::int64_t>(tally.recipients()));
  append_json_statuses_of(json, "recipients", tally.counts());
  json.text("first", tally.first_time());
  json.text("last", tally.last_time());
  if (const auto span = report_span(tally)) {
    json.decimal("seconds", seconds_of(*span));
  }
  append_json_times(json, tally.submit_times());
  json.number("accepted_bytes", static_cast<std::int64_t>(tally.accepted_bytes()));
  json.open("endpoints", '[');
  for (const auto& [name, counts] : tally.endpoints()) {
    json.open('{');
    json.text("endpoint", name);
    append_json_statuses_of(json, "recipients", counts);
    json.close('}');
  }
  json.close(']');
  json.open("reasons", '[');
  for (const FailureGroup& group : shown_groups(input, tally).groups) {
    json.open('{');
    json.number("count", static_cast<std::int64_t>(group.count));
    json.text("status", name_of(group.what));
    json.text("stage", group.stage);
    json.text("endpoint", group.endpoint);
    json.text("words", group.words);
    json.text("id", group.id);
    json.text("rcpt", group.recipient);
    json.close('}');
  }
  json.close(']');
  json.texts("remarks", input.remarks);
  json.close('}');
  return json.json() + "\n";
}

}  // namespace ringpost::cli
