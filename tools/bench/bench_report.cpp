// One run is a page, several are a table with a line each; the JSON has everything of all of them.
#include "tools/bench/bench_report.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "codec/text/unix_date.h"
#include "tools/probe/json_writer.h"
#include "tools/process/numbers.h"
#include "tools/process/program_version.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

constexpr double us_per_ms = 1000;

bool is_shown(std::string_view percentile) { return percentile != "p75" && percentile != "p95"; }

std::string megabytes_text(double bytes_per_second) {
  return bytes_per_second < 1e6 ? fmt::format("{:.1f} KB/s", bytes_per_second / 1e3)
                                : fmt::format("{:.1f} MB/s", bytes_per_second / 1e6);
}

// ---- One run
// -------------------------------------------------------------------------------------

void append_counts(std::string& text, const BenchFinding& finding) {
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "{} of {} recipients accepted", share_text(finding.accepted_share()),
                 grouped_digits(finding.recipients_total()));
  for (std::size_t i = 0; i < status_count; ++i) {
    const auto status = static_cast<Status>(i);
    if (status != Status::accepted && finding.recipients[i] > 0) {
      fmt::format_to(out, ", {} {}", grouped_digits(finding.recipients[i]), name_of(status));
    }
  }
  if (finding.not_begun > 0) {
    fmt::format_to(out, ", {} due and not begun: the server did not keep up",
                   grouped_digits(finding.not_begun));
  }
  text += '\n';
}

void append_times(std::string& text, const BenchFinding& finding) {
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "\n{:<10}{:>12}", "", "count");
  for (const Percentile& each : percentiles) {
    if (is_shown(each.name)) {
      fmt::format_to(out, "{:>11}", each.name);
    }
  }
  fmt::format_to(out, "{:>11}\n", "max");
  for (std::size_t i = 0; i < series_names.size(); ++i) {
    const TimeSummary& times = finding.times[i];
    if (times.count == 0) {
      continue;
    }
    fmt::format_to(out, "{:<10}{:>12}", series_names[i], grouped_digits(times.count));
    for (std::size_t j = 0; j < percentiles.size(); ++j) {
      if (is_shown(percentiles[j].name)) {
        fmt::format_to(out, "{:>11}", micros_text(static_cast<double>(times.at[j])));
      }
    }
    fmt::format_to(out, "{:>11}\n", micros_text(static_cast<double>(times.max)));
  }
  fmt::format_to(out, "\nlatency: {}\n",
                 finding.is_open_loop
                     ? "from when a message was due until its answer, whenever it could be begun"
                     : "from when a session took a message until its answer");
}

void append_run(std::string& text, const BenchFinding& finding) {
  const auto out = std::back_inserter(text);
  fmt::format_to(
      out, "{} loop{}, {} connection{}{}{}\n", finding.is_open_loop ? "open" : "closed",
      finding.is_open_loop ? fmt::format(" at {}/s", per_second_text(finding.rate_wanted)) : "",
      finding.connections, finding.connections == 1 ? "" : "s", finding.way.empty() ? "" : ", ",
      finding.way);
  fmt::format_to(
      out,
      "{} messages in {:.1f} s: {} messages/s, {}, {:.1f} us of this machine's CPU a message\n",
      grouped_digits(finding.messages), finding.seconds,
      per_second_text(finding.messages_per_second()),
      megabytes_text(finding.seconds > 0 ? static_cast<double>(finding.bytes) / finding.seconds
                                         : 0),
      finding.cpu_us_per_message);
  append_counts(text, finding);
  fmt::format_to(out, "{} connection{} opened, {} came as far as messages, {} resumed TLS\n",
                 grouped_digits(finding.sessions_opened), finding.sessions_opened == 1 ? "" : "s",
                 grouped_digits(finding.sessions_ready), grouped_digits(finding.sessions_resumed));
  for (const std::string& failure : finding.failures) {
    fmt::format_to(out, "the endpoint was given up: {}\n", failure);
  }
  append_times(text, finding);
}

// ---- Several
// -------------------------------------------------------------------------------------

void append_table(std::string& text, const BenchReportInput& input) {
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "{:>12}{:>12}{:>12}", input.settings.varied, "messages/s", "accepted");
  for (const Percentile& each : percentiles) {
    if (is_shown(each.name)) {
      fmt::format_to(out, "{:>11}", each.name);
    }
  }
  fmt::format_to(out, "{:>11}{:>13}\n", "max", "CPU/message");
  for (const BenchFinding& finding : input.findings) {
    fmt::format_to(out, "{:>12}{:>12}{:>12}", finding.varied,
                   per_second_text(finding.messages_per_second()),
                   share_text(finding.accepted_share()));
    const TimeSummary& times = finding.of(Series::latency);
    for (std::size_t j = 0; j < percentiles.size(); ++j) {
      if (is_shown(percentiles[j].name)) {
        fmt::format_to(out, "{:>11}",
                       times.count > 0 ? micros_text(static_cast<double>(times.at[j])) : "-");
      }
    }
    fmt::format_to(out, "{:>11}{:>13}\n",
                   times.count > 0 ? micros_text(static_cast<double>(times.max)) : "-",
                   fmt::format("{:.1f} us", finding.cpu_us_per_message));
  }
}

// ---- Judgements
// ----------------------------------------------------------------------------------

std::string figure_text(const ComparedFigure& figure, double value) {
  return figure.name == "messages/s" ? per_second_text(value)
         : figure.name == "accepted" ? share_text(value)
                                     : micros_text(value);
}

std::string run_name(const BenchSettings& settings, const std::string& varied) {
  return varied.empty() ? std::string() : fmt::format("{}={}: ", settings.varied, varied);
}

void append_thresholds(std::string& text, const BenchReportInput& input) {
  text += input.settings.thresholds.empty() ? "" : "\n";
  for (const BenchFinding& finding : input.findings) {
    for (const Threshold& threshold : input.settings.thresholds) {
      fmt::format_to(std::back_inserter(text), "{}  {}{}: {}\n",
                     threshold.is_held_by(finding) ? "held  " : "FAILED",
                     run_name(input.settings, finding.varied), threshold.text,
                     threshold.measured_text(finding));
    }
  }
}

void append_comparisons(std::string& text, const BenchReportInput& input) {
  const auto out = std::back_inserter(text);
  for (const Comparison& comparison : input.comparisons) {
    fmt::format_to(out, "\n{}", run_name(input.settings, comparison.varied));
    if (!comparison.has_base) {
      fmt::format_to(out, "{} has no such run\n", input.settings.base_path);
      continue;
    }
    fmt::format_to(out, "beside {}\n", input.settings.base_path);
    for (const ComparedFigure& figure : comparison.figures) {
      const double change = figure.base > 0 ? (figure.now / figure.base - 1) * 100 : 0;
      fmt::format_to(out, "{:<12}{:>12} ->{:>12}  {:+.1f} %{}\n", figure.name,
                     figure_text(figure, figure.base), figure_text(figure, figure.now), change,
                     figure.is_worse ? "  WORSE" : "");
    }
  }
}

// ---- JSON
// ----------------------------------------------------------------------------------------

void append_times(JsonWriter& json, const BenchFinding& finding) {
  json.open("times_ms", '{');
  for (std::size_t i = 0; i < series_names.size(); ++i) {
    const TimeSummary& times = finding.times[i];
    if (times.count == 0) {
      continue;
    }
    json.open(series_names[i], '{');
    json.number("count", static_cast<std::int64_t>(times.count));
    json.decimal("min", static_cast<double>(times.min) / us_per_ms);
    json.decimal("mean", times.mean / us_per_ms);
    for (std::size_t j = 0; j < percentiles.size(); ++j) {
      json.decimal(percentiles[j].name, static_cast<double>(times.at[j]) / us_per_ms);
    }
    json.decimal("max", static_cast<double>(times.max) / us_per_ms);
    json.close('}');
  }
  json.close('}');
}

void append_run(JsonWriter& json, const BenchReportInput& input, const BenchFinding& finding) {
  json.open('{');
  if (!finding.varied.empty()) {
    json.text("varied", finding.varied);
  }
  json.text("loop", finding.is_open_loop ? "open" : "closed");
  if (finding.is_open_loop) {
    json.decimal("rate_wanted", finding.rate_wanted);
    json.decimal("late_ms_max", finding.late_ms_max);
  }
  json.number("connections", finding.connections);
  json.text("way", finding.way);
  json.decimal("began_at", static_cast<double>(finding.began_at_us) / 1e6);
  json.decimal("seconds", finding.seconds);
  json.number("messages", static_cast<std::int64_t>(finding.messages));
  json.decimal("messages_per_second", finding.messages_per_second());
  json.number("content_bytes", static_cast<std::int64_t>(finding.bytes));
  json.open("recipients", '{');
  for (std::size_t i = 0; i < status_count; ++i) {
    json.number(name_of(static_cast<Status>(i)), static_cast<std::int64_t>(finding.recipients[i]));
  }
  json.number("not_begun", static_cast<std::int64_t>(finding.not_begun));
  json.close('}');
  json.json() += fmt::format(",\"accepted_share\":{:.6f}", finding.accepted_share());
  json.number("sessions_opened", static_cast<std::int64_t>(finding.sessions_opened));
  json.number("sessions_ready", static_cast<std::int64_t>(finding.sessions_ready));
  json.number("sessions_resumed", static_cast<std::int64_t>(finding.sessions_resumed));
  json.decimal("cpu_us_per_message", finding.cpu_us_per_message);
  json.texts("failures", finding.failures);
  append_times(json, finding);
  json.open("thresholds", '[');
  for (const Threshold& threshold : input.settings.thresholds) {
    json.open('{');
    json.text("text", threshold.text);
    json.boolean("held", threshold.is_held_by(finding));
    json.text("measured", threshold.measured_text(finding));
    json.close('}');
  }
  json.close(']');
  json.close('}');
}

void append_load(JsonWriter& json, const LoadSettings& load) {
  json.open("load", '{');
  if (load.count) {
    json.number("count", static_cast<std::int64_t>(*load.count));
  }
  if (load.duration) {
    json.text("duration", duration_text(*load.duration));
  }
  json.text("warmup", duration_text(load.warmup));
  if (!load.jobs_path.empty()) {
    json.text("jobs", load.jobs_path);
  } else {
    json.open("sizes", '[');
    for (std::size_t i = 0; i < load.sizes.size(); ++i) {
      json.json() += (i == 0 ? "" : ",") + std::to_string(load.sizes[i]);
    }
    json.close(']');
    json.number("recipients", static_cast<std::int64_t>(load.recipients));
  }
  json.close('}');
}

void append_comparison(JsonWriter& json, const Comparison& comparison) {
  json.open('{');
  json.text("varied", comparison.varied);
  json.boolean("has_base", comparison.has_base);
  json.boolean("worse", comparison.is_worse());
  json.open("figures", '[');
  for (const ComparedFigure& figure : comparison.figures) {
    json.open('{');
    json.text("name", figure.name);
    json.decimal("base", figure.base);
    json.decimal("now", figure.now);
    json.boolean("worse", figure.is_worse);
    json.close('}');
  }
  json.close(']');
  json.close('}');
}

}  // namespace

std::string micros_text(double us) {
  return us < 10 * us_per_ms     ? fmt::format("{:.3f} ms", us / us_per_ms)
         : us < 1000 * us_per_ms ? fmt::format("{:.1f} ms", us / us_per_ms)
                                 : fmt::format("{:.2f} s", us / 1e6);
}

std::string share_text(double share) {
  constexpr double shown_max = 99.99;
  return share >= 1 ? "100 %" : fmt::format("{:.2f} %", std::min(share * 100, shown_max));
}

std::string bench_text(const BenchReportInput& input) {
  std::string text;
  if (input.settings.varied.empty()) {
    for (const BenchFinding& finding : input.findings) {
      append_run(text, finding);
    }
  } else {
    append_table(text, input);
  }
  append_thresholds(text, input);
  append_comparisons(text, input);
  return text;
}

std::string bench_json(const BenchReportInput& input) {
  JsonWriter json;
  json.open('{');
  json.open("bench", '{');
  json.text("version", program_version());
  json.decimal("began_at", static_cast<double>(input.began_at_us) / 1e6);
  json.text("endpoint", input.settings.endpoint.draft.options.name);
  json.open("machine", '{');
  json.text("cpu", input.machine.cpu);
  json.number("cores", input.machine.cores);
  json.number("memory_bytes", static_cast<std::int64_t>(input.machine.memory_bytes));
  json.text("kernel", input.machine.kernel);
  json.close('}');
  json.number("worker_cores", input.settings.cores);
  append_load(json, input.settings.load);
  if (!input.settings.varied.empty()) {
    json.text("vary", input.settings.varied);
  }
  json.open("runs", '[');
  for (const BenchFinding& finding : input.findings) {
    append_run(json, input, finding);
  }
  json.close(']');
  if (!input.comparisons.empty()) {
    json.text("base", input.settings.base_path);
    json.open("comparisons", '[');
    for (const Comparison& comparison : input.comparisons) {
      append_comparison(json, comparison);
    }
    json.close(']');
  }
  json.close('}');
  json.close('}');
  return std::move(json.json()) + "\n";
}

}  // namespace ringpost::cli
