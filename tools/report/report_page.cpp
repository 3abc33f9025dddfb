// The problem: whoever gets the report by mail opens it on a phone, without a network, years later.
// The idea: one file; tables are plain HTML, figures are JSON that a script of a page draws with
// uPlot, which stands in the file as well. Limits: a chart has as many points as OutcomeSeries has
// stretches, so that the page is small whatever the run.
#include "tools/report/report_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tools/process/wording.h"
#include "tools/report/page_parts.h"
#include "tools/report/report_words.h"

namespace ringpost::cli {

namespace {

// ---- Tables -------------------------------------------------------------------------------------

std::string status_rows(const OutcomeTally& tally) {
  std::string rows;
  for (const Status status : report_statuses) {
    if (const std::uint64_t count = tally.of(status); count > 0) {
      rows += fmt::format(
          "<tr><th scope=\"row\"><i class=\"{0}\"></i>{0}</th><td>{1}</td><td>{2}</td></tr>\n",
          name_of(status), grouped_digits(count), share_text(count, tally.recipients()));
    }
  }
  return rows;
}

std::string endpoint_rows(const OutcomeTally& tally) {
  std::string rows;
  for (const auto& [name, counts] : tally.endpoints()) {
    rows += fmt::format("<tr><th scope=\"row\">{}</th>", in_html(name));
    for (const Status status : report_statuses) {
      rows += fmt::format("<td>{}</td>", grouped_digits(counts[static_cast<std::size_t>(status)]));
    }
    rows += "</tr>\n";
  }
  return rows;
}

std::string status_heads() {
  std::string heads;
  for (const Status status : report_statuses) {
    heads += fmt::format("<th scope=\"col\">{}</th>", name_of(status));
  }
  return heads;
}

std::string reason_rows(const ReportInput& input, const OutcomeTally& tally) {
  const ShownGroups shown = shown_groups(input, tally);
  std::string rows;
  for (const FailureGroup& group : shown.groups) {
    rows += fmt::format(
        "<tr><td>{}</td><td><i class=\"{}\"></i>{}</td><td class=\"words\">{}"
        "<small>{}</small></td></tr>\n",
        grouped_digits(group.count), name_of(group.what), in_html(group_head(group)),
        in_html(group.words), in_html(sample_text(group)));
  }
  if (shown.others > 0) {
    rows += fmt::format("<tr><td>{}</td><td></td><td>{} more reasons</td></tr>\n",
                        grouped_digits(shown.others_count), shown.others);
  }
  return rows;
}

std::string list_of(const std::vector<std::string>& lines) {
  std::string items;
  for (const std::string& line : lines) {
    items += fmt::format("<li>{}</li>\n", in_html(line));
  }
  return items;
}

// ---- Figures ------------------------------------------------------------------------------------

struct Point {
  std::int64_t at = 0;  // Unix time
  OutcomeSeries::Stretch stretch;
};

// A stretch without a line is zero, and the first and the last of several are enough for a line.
std::vector<Point> points_of(const OutcomeSeries& series) {
  const std::int64_t width = series.width_s();
  std::vector<Point> points;
  for (const auto& [number, stretch] : series.stretches()) {
    const std::int64_t at = number * width;
    if (!points.empty() && points.back().at + width < at) {
      points.push_back({points.back().at + width, {}});
      if (points.back().at + width < at) {
        points.push_back({at - width, {}});
      }
    }
    points.push_back({at, stretch});
  }
  return points;
}

template <typename Value>
void append_figures(std::string& json, std::string_view name, const std::vector<Point>& points,
                    const Value& value) {
  json += fmt::format("{}\"{}\":[", json.ends_with('{') ? "" : ",", name);
  for (const Point& point : points) {
    json += json.ends_with('[') ? "" : ",";
    json += value(point);
  }
  json += ']';
}

void append_rates(std::string& json, const std::vector<Point>& points, std::int64_t width) {
  const auto rate_of = [width](std::uint64_t count) {
    return fmt::format("{:.6g}", static_cast<double>(count) / static_cast<double>(width));
  };
  constexpr std::array drawn = {Status::accepted, Status::rejected, Status::deferred};
  for (const Status status : drawn) {
    append_figures(json, name_of(status), points, [&](const Point& point) {
      return rate_of(point.stretch.counts[static_cast<std::size_t>(status)]);
    });
  }
  append_figures(json, "others", points, [&](const Point& point) {
    const auto& counts = point.stretch.counts;
    return rate_of(std::accumulate(counts.begin() + drawn.size(), counts.end(), std::uint64_t{0}));
  });
}

void append_times(std::string& json, const std::vector<Point>& points) {
  constexpr std::array shares = {std::pair{"p50", 0.5}, std::pair{"p90", 0.9},
                                 std::pair{"p99", 0.99}};
  for (const auto& [name, share] : shares) {
    append_figures(json, name, points, [share = share](const Point& point) {
      const TimeCounts& times = point.stretch.submit_times;
      return times.count() == 0 ? std::string("null")
                                : fmt::format("{:.6g}", times.at_share(share));
    });
  }
}

// By nines: 1 is 90 %, 2 is 99 %, as far as there are enough for it.
void append_curve(std::string& json, const OutcomeSeries& series) {
  TimeCounts times;
  for (const auto& [number, stretch] : series.stretches()) {
    times.add(stretch.submit_times);
  }
  std::string nines = "[";
  std::string ms = "[";
  const double last =
      times.count() == 0 ? -1 : std::min(5.0, std::log10(static_cast<double>(times.count())));
  for (double nine = 0; nine <= last; nine += 0.05) {
    nines += fmt::format("{}{:.2f}", nine == 0 ? "" : ",", nine);
    ms += fmt::format("{}{:.6g}", nine == 0 ? "" : ",", times.at_share(1 - std::pow(10.0, -nine)));
  }
  json += fmt::format(",\"nines\":{}],\"ms\":{}]", nines, ms);
}

std::string figures_json(const OutcomeSeries& series) {
  const std::vector<Point> points = points_of(series);
  std::string json = "{";
  append_figures(json, "t", points, [](const Point& point) { return std::to_string(point.at); });
  append_rates(json, points, series.width_s());
  append_times(json, points);
  append_curve(json, series);
  return json + fmt::format(",\"width\":{}}}", series.width_s());
}

}  // namespace

std::string report_page(const ReportInput& input, const OutcomeTally& tally,
                        const OutcomeSeries& series) {
  std::string page(part_named("page"));
  // The last one first: what was filled in is not looked through again.
  fill_in(page, "script", chart_script("script"));
  fill_in(page, "figures", figures_json(series));
  fill_in(page, "uplot", uplot_script());
  std::vector<std::string> remarks = input.remarks;
  remarks.push_back(
      "Charts show each outcome line; the tables count each recipient by the last line about him.");
  fill_in(page, "remarks", list_of(remarks));
  fill_in(page, "advice", list_of(advice(input, tally)));
  fill_in(page, "reasons", reason_rows(input, tally));
  fill_in(page, "endpoints", endpoint_rows(tally));
  fill_in(page, "status_heads", status_heads());
  const TimeSpread times = tally.submit_times();
  fill_in(page, "times", times.count == 0 ? std::string() : in_html(times_text(times)));
  fill_in(page, "statuses", status_rows(tally));
  fill_in(page, "when", in_html(when_text(tally)));
  const std::string title =
      in_html(recipients_text(tally.recipients()) + " in " + joined(input.files, ", "));
  fill_in(page, "heading", title);
  fill_in(page, "style", page_style());
  fill_in(page, "title", fmt::format("<title>{}</title>", title));
  return page;
}

}  // namespace ringpost::cli
