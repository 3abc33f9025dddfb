// The problem: runs of several files are read beside one another, and the slowest of them cannot be
// seen in a mean. The idea: one table of all runs with their percentiles, and on a page a curve for
// each, by nines: every digit of a percentile has as much room as the one before. Limits: a curve
// has the percentiles that stand in the file, and twelve runs are drawn.
#include "tools/report/bench_report_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/bench/bench_report.h"
#include "tools/process/wording.h"
#include "tools/report/page_parts.h"

namespace ringpost::cli {

namespace {

// More could not be told apart: as many as the page's script has colours and dashes.
constexpr std::size_t curves_max = 12;

struct Row {
  std::string run;  // file, and what was varied
  std::string loop;
  std::string rate;
  std::string accepted;
  std::vector<std::string> times;  // p50 to max
};

constexpr std::array<std::string_view, 6> shown_times = {"p50",   "p90",    "p99",
                                                         "p99.9", "p99.99", "max"};

std::string run_of(const BenchFile& file, const BenchFinding& run) {
  return run.varied.empty() ? file.path
                            : fmt::format("{} {}={}", file.path, file.varied, run.varied);
}

std::string time_at(const TimeSummary& times, std::string_view name) {
  if (times.count == 0) {
    return "-";
  }
  std::int64_t us = times.max;
  for (std::size_t i = 0; i < percentiles.size(); ++i) {
    us = percentiles[i].name == name ? times.at[i] : us;
  }
  return micros_text(static_cast<double>(us));
}

std::vector<Row> rows_of(const std::vector<BenchFile>& files) {
  std::vector<Row> rows;
  for (const BenchFile& file : files) {
    for (const BenchFinding& run : file.runs) {
      Row row{.run = run_of(file, run),
              .loop = run.is_open_loop ? fmt::format("open {:.0f}/s", run.rate_wanted) : "closed",
              .rate = per_second_text(run.messages_per_second()),
              .accepted = share_text(run.accepted_share()),
              .times = {}};
      for (const std::string_view name : shown_times) {
        row.times.push_back(time_at(run.of(Series::latency), name));
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::string machine_text(const BenchFile& file) {
  return fmt::format("{}: {}, ringpost {} on {}, {} cores, {}", file.path, file.endpoint,
                     file.version,
                     file.machine.cpu.empty() ? "a processor without a name" : file.machine.cpu,
                     file.machine.cores, file.machine.kernel);
}

std::string table_rows(const std::vector<BenchFile>& files) {
  std::string out;
  for (const Row& row : rows_of(files)) {
    out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td>",
                       in_html(row.run), row.loop, row.rate, row.accepted);
    for (const std::string& time : row.times) {
      out += fmt::format("<td>{}</td>", time);
    }
    out += "</tr>\n";
  }
  return out;
}

std::string time_heads() {
  std::string heads;
  for (const std::string_view name : shown_times) {
    heads += fmt::format("<th scope=\"col\">{}</th>", name);
  }
  return heads;
}

std::size_t timed_runs(const std::vector<BenchFile>& files) {
  std::size_t count = 0;
  for (const BenchFile& file : files) {
    count += static_cast<std::size_t>(
        std::count_if(file.runs.begin(), file.runs.end(),
                      [](const BenchFinding& run) { return run.of(Series::latency).count > 0; }));
  }
  return count;
}

// {"nines":[...],"runs":[{"name":...,"ms":[...]}]}, with null beyond what so few messages can show.
std::string curves_json(const std::vector<BenchFile>& files) {
  std::string json = "{\"nines\":[0";
  for (const Percentile& each : percentiles) {
    fmt::format_to(std::back_inserter(json), ",{:.4g}", -std::log10(1 - each.percent / 100));
  }
  json += "],\"runs\":[";
  std::size_t drawn = 0;
  for (const BenchFile& file : files) {
    for (const BenchFinding& run : file.runs) {
      const TimeSummary& times = run.of(Series::latency);
      if (times.count == 0 || drawn == curves_max) {
        continue;
      }
      ++drawn;
      json += json.ends_with('[') ? "{\"name\":" : ",{\"name\":";
      codec::append_json_string(json, run_of(file, run));
      fmt::format_to(std::back_inserter(json), ",\"ms\":[{:.6g}",
                     static_cast<double>(times.min) / 1000);
      for (std::size_t i = 0; i < percentiles.size(); ++i) {
        const double slower = static_cast<double>(times.count) * (1 - percentiles[i].percent / 100);
        json += slower < 0.999 ? std::string(",null")
                               : fmt::format(",{:.6g}", static_cast<double>(times.at[i]) / 1000);
      }
      json += "]}";
    }
  }
  json += "]}";
  // A name must not end the script that it stands in.
  for (std::size_t at = json.find('<'); at != std::string::npos; at = json.find('<', at)) {
    json.replace(at, 1, "\\u003c");
  }
  return json;
}

}  // namespace

std::string bench_files_text(const std::vector<BenchFile>& files) {
  std::string text;
  const auto out = std::back_inserter(text);
  const std::vector<Row> rows = rows_of(files);
  std::size_t width = 3;
  for (const Row& row : rows) {
    width = std::max(width, printable(row.run).size());
  }
  fmt::format_to(out, "{:<{}}{:>14}{:>12}{:>10}", "run", width, "loop", "messages/s", "accepted");
  for (const std::string_view name : shown_times) {
    fmt::format_to(out, "{:>11}", name);
  }
  text += '\n';
  for (const Row& row : rows) {
    fmt::format_to(out, "{:<{}}{:>14}{:>12}{:>10}", printable(row.run), width, row.loop, row.rate,
                   row.accepted);
    for (const std::string& time : row.times) {
      fmt::format_to(out, "{:>11}", time);
    }
    text += '\n';
  }
  text += '\n';
  for (const BenchFile& file : files) {
    text += printable(machine_text(file)) + "\n";
  }
  return text;
}

std::string bench_files_markdown(const std::vector<BenchFile>& files) {
  std::string text = "| run | loop | messages/s | accepted |";
  std::string rule = "|---|---|--:|--:|";
  for (const std::string_view name : shown_times) {
    fmt::format_to(std::back_inserter(text), " {} |", name);
    rule += "--:|";
  }
  text += "\n" + rule + "\n";
  for (const Row& row : rows_of(files)) {
    std::string name = printable(row.run);
    std::replace(name.begin(), name.end(), '|', '/');
    fmt::format_to(std::back_inserter(text), "| {} | {} | {} | {} |", name, row.loop, row.rate,
                   row.accepted);
    for (const std::string& time : row.times) {
      fmt::format_to(std::back_inserter(text), " {} |", time);
    }
    text += '\n';
  }
  text += '\n';
  for (const BenchFile& file : files) {
    text += "- " + printable(machine_text(file)) + "\n";
  }
  return text;
}

std::string bench_files_json(const std::vector<BenchFile>& files) {
  std::string json = "{\"benches\":[";
  for (const BenchFile& file : files) {
    json += json.ends_with('[') ? "{\"file\":" : ",{\"file\":";
    codec::append_json_string(json, file.path);
    json += "," + file.json.substr(1);
  }
  return json + "]}\n";
}

std::string bench_files_page(const std::vector<BenchFile>& files) {
  std::string page(part_named("bench_page"));
  // The last one first: what was filled in is not looked through again.
  fill_in(page, "script", chart_script("bench_script"));
  fill_in(page, "figures", curves_json(files));
  fill_in(page, "uplot", uplot_script());
  std::string machines;
  if (timed_runs(files) > curves_max) {
    machines +=
        fmt::format("<li>The first {} runs have a curve, the table has all.</li>\n", curves_max);
  }
  for (const BenchFile& file : files) {
    machines += fmt::format("<li>{}</li>\n", in_html(machine_text(file)));
  }
  fill_in(page, "machines", machines);
  fill_in(page, "runs", table_rows(files));
  fill_in(page, "time_heads", time_heads());
  std::vector<std::string> names;
  for (const BenchFile& file : files) {
    names.push_back(file.path);
  }
  const std::string title = in_html("Benchmarks in " + joined(names, ", "));
  fill_in(page, "heading", title);
  fill_in(page, "style", page_style());
  fill_in(page, "title", fmt::format("<title>{}</title>", title));
  return page;
}

}  // namespace ringpost::cli
