// The problem: people ask a journal what is lost and what a resume would do, and programs want
// every number of it; an ordinal alone says little where there are several job files. The idea: two
// writers over one reading, which count nothing themselves but sums. Members that programs know
// stay, and what they could not say stands beside them. Limits: of jobs in flight the first are
// named, 10 in text and 1,000 in JSON.
#include "tools/journal/journal_report.h"

#include <cstdint>
#include <iterator>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "codec/text/unix_date.h"
#include "queue/job_file_sample.h"
#include "tools/process/statuses.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

// Of jobs in flight.
constexpr std::size_t jobs_shown_text = 10;
constexpr std::size_t jobs_shown_json = 1000;

template <typename... Values>
void print(std::string& text, fmt::format_string<Values...> format, Values&&... values) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Values>(values)...);
}

std::string time_text(std::int64_t unix_us) {
  std::string text;
  codec::append_rfc3339(text, unix_us);
  return text;
}

std::string json_text(Bytes text) {
  std::string json;
  codec::append_json_string(json, text);
  return json;
}

std::string_view plural(std::uint64_t count) { return count == 1 ? "" : "s"; }

std::uint64_t outcome_total(const queue::JournalHistory& history) {
  std::uint64_t total = 0;
  for (const queue::RunHistory& run : history.runs()) {
    total += run.outcome_count;
  }
  return total;
}

// Counted over all sources.
queue::JournalFront front_of_all(const queue::JournalHistory& history) {
  queue::JournalFront all;
  for (const auto& [source, front] : history.fronts()) {
    all.jobs_end += front.jobs_end;
    all.doubtful_below += front.doubtful_below;
  }
  return all;
}

bool has_several_sources(const queue::JournalHistory& history) {
  return history.has_header() && !history.header().has_one_source() &&
         history.header().files.size() > 1;
}

// " of FILE" where there are several, or the header that names them is lost.
std::string of_source(const queue::JournalHistory& history, std::uint32_t source) {
  if (has_several_sources(history)) {
    const std::string& path = history.header().files[source].path;
    return " of " + (path == "-" ? "standard input" : printable(path));
  }
  return history.has_header() || source == 0 ? std::string()
                                             : fmt::format(" of job file {}", source + 1);
}

std::string_view durability_of(const codec::JournalRun& run) {
  return run.survives_power_cut ? "power" : "process";
}

// ---- For people ---------------------------------------------------------------------------------

void append_header(std::string& text, const queue::JournalHistory& history) {
  if (!history.has_header()) {
    text += "no header: it is damaged or was never finished\n";
    return;
  }
  const codec::JournalHeader& header = history.header();
  print(text, "begun {}\n", time_text(header.created_us));
  for (const codec::JournalFile& file : header.files) {
    if (file.path == "-") {
      text += "jobs from standard input\n";
    } else if (file.size_bytes == queue::job_file_size_unknown) {
      print(text, "jobs from {}, of no size that can be known\n", printable(file.path));
    } else {
      print(text, "jobs from {}, {} octets\n", printable(file.path), file.size_bytes);
    }
  }
}

void append_run(std::string& text, const queue::RunHistory& run) {
  const std::string end = run.end ? fmt::format("ended {} with exit code {}",
                                                time_text(run.end->ended_us), run.end->exit_code)
                                  : std::string("no end was noted");
  print(text, "run {}: {}, ringpost {}, durability {}, {} outcome{} to {}; {}\n", run.run.number,
        time_text(run.run.started_us), printable(run.run.program_version), durability_of(run.run),
        run.outcome_count, plural(run.outcome_count), printable(run.run.outcomes_path), end);
}

void append_recipients(std::string& text, const queue::JournalHistory& history) {
  for (const Status status : statuses) {
    if (history.count(status) > 0 || status == Status::accepted) {
      print(text, "{:<9}{:>10}\n", name_of(status), history.count(status));
    }
  }
  if (history.count_put_off() > 0) {
    print(text, "{:<9}{:>10}   they waited for another attempt: a resume sends them\n", "put off",
          history.count_put_off());
  }
  if (history.count_in_flight() == 0) {
    return;
  }
  print(text,
        "{:<9}{:>10}   they may have been accepted: a resume says unknown, and sends them "
        "only if told to\n",
        "in flight", history.count_in_flight());
  const auto jobs = history.jobs_in_flight(jobs_shown_text + 1);
  std::vector<std::string> shown;
  for (const std::uint64_t ordinal : jobs) {
    shown.push_back(shown.size() < jobs_shown_text
                        ? fmt::format("{}{}", codec::index_of(ordinal),
                                      of_source(history, codec::source_of(ordinal)))
                        : "...");
  }
  print(text, "in flight: job{} {} (the first one is 0, blank lines do not count)\n",
        plural(jobs.size()), joined(shown, ", "));
}

void append_doubt(std::string& text, const queue::JournalHistory& history) {
  for (const auto& [source, front] : history.fronts()) {
    if (front.doubtful_below > 0) {
      print(text, "jobs below {}{} of which nothing is known count as in flight\n",
            front.doubtful_below, of_source(history, source));
    }
  }
}

void append_faults(std::string& text, const queue::JournalReading& reading) {
  for (const queue::JournalDamage& damage : reading.history.damages()) {
    print(text, "damaged from octet {} on, {} octet{}: {}\n", damage.offset, damage.bytes,
          plural(damage.bytes), damage.why);
  }
  for (const queue::JournalDamage& damage : reading.history.repaired()) {
    print(text, "damaged from octet {} on, {} octet{}, and accepted as such by --repair\n",
          damage.offset, damage.bytes, plural(damage.bytes));
  }
  append_doubt(text, reading.history);
  if (reading.torn_bytes > 0 && reading.writer.empty()) {
    print(text,
          "torn from octet {} on, {} octet{}: what was being written when a run was killed; "
          "a resume cuts it\n",
          reading.whole_bytes, reading.torn_bytes, plural(reading.torn_bytes));
  }
  if (!reading.writer.empty()) {
    print(text, "{} writes it now\n", reading.writer);
  }
}

// ---- For programs -------------------------------------------------------------------------------

void append_json_header(std::string& json, const codec::JournalHeader& header) {
  print(json, ",\"version\":{}", header.version);
  print(json, ",\"created\":\"{}\",\"date\":\"{}\",\"newlines\":\"{}\",\"files\":[",
        time_text(header.created_us), time_text(header.date_us),
        header.newlines == codec::NewlinePolicy::strict ? "strict" : "normalize");
  bool is_first = true;
  for (const codec::JournalFile& file : header.files) {
    print(json, "{}{{\"path\":{}", is_first ? "" : ",", json_text(file.path));
    if (file.size_bytes != queue::job_file_size_unknown) {
      print(json, ",\"bytes\":{},\"sample\":\"{:016x}\"", file.size_bytes, file.sample);
    }
    json += '}';
    is_first = false;
  }
  json += ']';
}

void append_json_runs(std::string& json, const queue::JournalHistory& history) {
  json += ",\"runs\":[";
  bool is_first = true;
  for (const queue::RunHistory& run : history.runs()) {
    print(json,
          "{}{{\"number\":{},\"started\":\"{}\",\"ringpost\":{},\"durability\":\"{}\","
          "\"outcomes\":{},\"outcomes_bytes_before\":{},\"outcome_lines\":{},"
          "\"outcome_bytes\":{}",
          is_first ? "" : ",", run.run.number, time_text(run.run.started_us),
          json_text(run.run.program_version), durability_of(run.run),
          json_text(run.run.outcomes_path), run.run.outcomes_bytes, run.outcome_count,
          run.outcome_bytes);
    if (run.end) {
      print(json, ",\"ended\":\"{}\",\"exit_code\":{}", time_text(run.end->ended_us),
            run.end->exit_code);
    }
    json += '}';
    is_first = false;
  }
  json += ']';
}

// What ordinals alone do not say where there are several files.
void append_json_sources(std::string& json, const queue::JournalHistory& history) {
  json += ",\"jobs_in_flight_by_source\":[";
  bool is_first = true;
  for (const std::uint64_t ordinal : history.jobs_in_flight(jobs_shown_json)) {
    print(json, "{}{{\"source\":{},\"ordinal\":{}}}", is_first ? "" : ",",
          codec::source_of(ordinal), codec::index_of(ordinal));
    is_first = false;
  }
  json += "],\"sources\":[";
  is_first = true;
  for (const auto& [source, front] : history.fronts()) {
    print(json, "{}{{\"source\":{},\"jobs_end\":{},\"doubtful_below\":{}}}", is_first ? "" : ",",
          source, front.jobs_end, front.doubtful_below);
    is_first = false;
  }
  json += ']';
}

void append_json_recipients(std::string& json, const queue::JournalHistory& history) {
  json += ",\"recipients\":{";
  for (const Status status : statuses) {
    print(json, "\"{}\":{},", name_of(status), history.count(status));
  }
  print(json, "\"in_flight\":{},\"put_off\":{}}},\"jobs_in_flight\":[", history.count_in_flight(),
        history.count_put_off());
  bool is_first = true;
  for (const std::uint64_t ordinal : history.jobs_in_flight(jobs_shown_json)) {
    print(json, "{}{}", is_first ? "" : ",", codec::index_of(ordinal));
    is_first = false;
  }
  const queue::JournalFront all = front_of_all(history);
  print(json, "],\"jobs_end\":{},\"doubtful_below\":{}", all.jobs_end, all.doubtful_below);
  append_json_sources(json, history);
}

void append_json_damages(std::string& json, std::string_view name,
                         const std::vector<queue::JournalDamage>& damages) {
  print(json, ",\"{}\":[", name);
  bool is_first = true;
  for (const queue::JournalDamage& damage : damages) {
    print(json, "{}{{\"offset\":{},\"bytes\":{},\"why\":{}}}", is_first ? "" : ",", damage.offset,
          damage.bytes, json_text(damage.why));
    is_first = false;
  }
  json += ']';
}

}  // namespace

std::string journal_text(const std::string& path, const queue::JournalReading& reading) {
  std::string text = fmt::format("{}: {} octets, ", printable(path), reading.whole_bytes);
  append_header(text, reading.history);
  for (const queue::RunHistory& run : reading.history.runs()) {
    append_run(text, run);
  }
  append_recipients(text, reading.history);
  append_faults(text, reading);
  return text;
}

std::string journal_json(const std::string& path, const queue::JournalReading& reading) {
  std::string json =
      fmt::format("{{\"journal\":{},\"bytes\":{},\"torn_bytes\":{},\"whole\":{}", json_text(path),
                  reading.whole_bytes, reading.torn_bytes, is_whole(reading));
  if (reading.history.has_header()) {
    append_json_header(json, reading.history.header());
  }
  append_json_runs(json, reading.history);
  append_json_recipients(json, reading.history);
  append_json_damages(json, "damages", reading.history.damages());
  append_json_damages(json, "repaired", reading.history.repaired());
  if (!reading.writer.empty()) {
    print(json, ",\"writer\":{}", json_text(reading.writer));
  }
  return json + "}\n";
}

bool is_whole(const queue::JournalReading& reading) {
  return reading.history.has_header() && reading.history.damages().empty();
}

std::string verification_text(const std::string& path, const queue::JournalReading& reading) {
  std::string text;
  if (!reading.history.has_header()) {
    text += "octet 8: the header is damaged or was never finished: nothing can be resumed\n";
  }
  append_faults(text, reading);
  if (is_whole(reading)) {
    const std::uint64_t runs = reading.history.runs().size();
    const std::uint64_t outcomes = outcome_total(reading.history);
    const std::uint64_t put_off = reading.history.count_put_off();
    print(text, "whole: {} octets, {} run{}, {} outcome{}, {} in flight{}\n", reading.whole_bytes,
          runs, plural(runs), outcomes, plural(outcomes), reading.history.count_in_flight(),
          put_off > 0 ? fmt::format(", {} put off", put_off) : std::string());
  }
  std::string named;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin) + 1;
    print(named, "{}: {}", printable(path), text.substr(begin, end - begin));
    begin = end;
  }
  return named;
}

}  // namespace ringpost::cli
