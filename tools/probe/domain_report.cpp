// A line for each point, so that what is wrong is seen by its word at the left, and under it the
// record to have, unwrapped, because it is copied.
#include "tools/probe/domain_report.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "tools/probe/page.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t txt_string_bytes_max = 255;  // RFC 1035 3.3.14

std::string_view title_of(DomainArea area) {
  constexpr std::string_view titles[] = {"SPF", "DKIM", "DMARC", "MX", "one-click"};
  return titles[static_cast<std::size_t>(area)];
}

std::string_view word_of(PointLevel level) {
  constexpr std::string_view words[] = {"ok", "note", "warning", "problem"};
  return words[static_cast<std::size_t>(level)];
}

std::string painted_word(const Page& page, PointLevel level) {
  const std::string word = fmt::format("{:<9}", word_of(level));
  return level == PointLevel::good      ? page.good(word)
         : level == PointLevel::problem ? page.bad(word)
         : level == PointLevel::warning ? page.bold(word)
                                        : page.faint(word);
}

std::string quoted_strings(std::string_view value) {
  std::string text;
  for (bool is_first = true; is_first || !value.empty(); is_first = false) {
    text += is_first ? "\"" : " \"";
    for (const char c : value.substr(0, txt_string_bytes_max)) {
      text += c == '"' || c == '\\' ? "\\" : "";
      text += c;
    }
    text += '"';
    value.remove_prefix(std::min(value.size(), txt_string_bytes_max));
  }
  return text;
}

}  // namespace

std::string zone_line(const DnsChange& change) {
  const bool is_text = change.type == "TXT" && !change.value.starts_with('(');
  return printable(fmt::format("{} {} {}", change.name, change.type,
                               is_text ? quoted_strings(change.value) : change.value));
}

std::string domain_text(const DomainFinding& finding, const ProbeReportOptions& options) {
  Page page(options.color, options.columns);
  page.line("");
  page.line(page.bold(fmt::format(
      "Mail from {}{}{}", finding.from,
      finding.envelope_from == finding.from ? std::string()
                                            : ", envelope from " + finding.envelope_from,
      finding.provider.empty() ? std::string() : " by " + printable(finding.provider))));
  std::size_t problems = 0;
  const DomainPoint* previous = nullptr;
  for (const DomainPoint& point : finding.points) {
    const bool is_first = previous == nullptr || previous->area != point.area;
    page.wrapped(fmt::format("  {:<11}{} ", is_first ? title_of(point.area) : "",
                             painted_word(page, point.level)),
                 std::string(23, ' '), point.what);
    if (point.change) {
      page.line(fmt::format("{:13}{:<9} {}", "", point.change->replaces ? "replace" : "add",
                            zone_line(*point.change)));
    }
    problems += point.level == PointLevel::problem ? 1 : 0;
    previous = &point;
  }
  page.line("");
  page.line(problems == 0
                ? page.good(fmt::format("Nothing is missing for {}.", finding.from))
                : page.bad(fmt::format("{} {} for {}.", problems,
                                       problems == 1 ? "problem" : "problems", finding.from)));
  return page.text();
}

}  // namespace ringpost::cli
