// The problem: a dozen figures have to fit a terminal of any width and a line of a log, and say the
// same in both. The idea: figures are items in groups, each a few words that are never torn; a
// block packs the items of a group into as many lines as they need, a line has them all behind one
// another. A line of a block ends one column before the edge, where terminals begin to differ.
// Limits: a column is a code point, so names of wide letters make a line too long, and it is cut
// by the terminal.
#include "tools/send/progress_report.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/process/statuses.h"
#include "tools/process/wording.h"
#include "tools/send/limits_report.h"

namespace ringpost::cli {

namespace {

constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view green = "\x1b[32m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view color_off = "\x1b[0m";
constexpr std::size_t columns_min = 20;  // less than that is no terminal

struct ProgressItem {
  std::string text;
  std::string_view color = {};
};
using ItemGroup = std::vector<ProgressItem>;

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u;
  }));
}

std::string cut(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) {
    return std::string(text);
  }
  constexpr std::string_view mark = "...";
  std::size_t end = 0;
  for (std::size_t left = columns - std::min(columns, mark.size()); end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xc0u) != 0x80u;
    if (begins && left-- == 0) {
      break;
    }
  }
  return std::string(text.substr(0, end)) + std::string(mark);
}

// "6:12:04", "12:31", "0:07"
std::string clock_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  const std::uint64_t minutes = whole / 60 % 60;
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, minutes, whole % 60)
                       : fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string rate_text(double rate) {
  return rate < 100 ? fmt::format("{:.1f}/s", rate)
                    : grouped_digits(static_cast<std::uint64_t>(std::llround(rate))) + "/s";
}

std::string_view color_of(Status status, std::uint64_t count) {
  const bool is_bad = status == Status::rejected || status == Status::invalid;
  return count == 0                                                ? std::string_view{}
         : is_bad                                                  ? red
         : status == Status::accepted || status == Status::skipped ? std::string_view{}
                                                                   : yellow;
}

ProgressItem status_item(Status status, std::uint64_t count) {
  return {fmt::format("{} {}", name_of(status), grouped_digits(count)), color_of(status, count)};
}

// "waiting 345, next in 0:12"
ProgressItem waiting_item(const EndpointCounts& counts) {
  std::string text = "waiting " + grouped_digits(counts.waiting);
  if (counts.next_attempt_in) {
    const std::chrono::duration<double> next = *counts.next_attempt_in;
    text += ", next in " + clock_text(std::ceil(next.count()));
  }
  return {text, counts.waiting > 0 ? yellow : std::string_view{}};
}

ItemGroup done_items(const RunFacts& facts) {
  const RunProgress& progress = facts.progress;
  ItemGroup items;
  if (!progress.messages_total) {
    items.push_back({grouped_digits(progress.messages_done) + " done, total unknown"});
  } else {
    items.push_back({fmt::format("{} of {}{} done", grouped_digits(progress.messages_done),
                                 progress.total_is_estimate ? "about " : "",
                                 grouped_digits(*progress.messages_total))});
  }
  if (progress.seconds_left) {
    items.push_back({clock_text(*progress.seconds_left) + " left"});
  }
  return items;
}

ItemGroup speed_items(const RunFacts& facts) {
  const double mean =
      static_cast<double>(facts.tally->of(Status::accepted)) / std::max(facts.seconds, 1e-3);
  return {{rate_text(facts.progress.rate) + " now"},
          {rate_text(mean) + " mean"},
          {clock_text(facts.seconds) + " so far"}};
}

ItemGroup status_items(const RunFacts& facts) {
  ItemGroup items;
  for (const Status status :
       {Status::accepted, Status::rejected, Status::deferred, Status::unknown}) {
    items.push_back(status_item(status, facts.tally->of(status)));
  }
  items.push_back(waiting_item(facts.counts));
  for (const Status status : {Status::unsent, Status::expired, Status::invalid, Status::skipped}) {
    if (const std::uint64_t count = facts.tally->of(status); count > 0) {
      items.push_back(status_item(status, count));
    }
  }
  return items;
}

ItemGroup session_items(const RunFacts& facts) {
  ItemGroup items = {{fmt::format("sessions {}", facts.counts.sessions)}};
  const TimeSpread& replies = facts.counts.reply_times;
  if (replies.count > 0) {
    items.push_back(
        {fmt::format("reply p50 {}, p99 {}", time_text(replies.p50), time_text(replies.p99))});
  }
  return items;
}

// What is most worth knowing first, since the rest may have no room.
ItemGroup endpoint_items(const RunFacts& facts, std::size_t index) {
  const EndpointReport& endpoint = facts.endpoints[index];
  ItemGroup items = {{printable(endpoint.endpoint)}};
  if (endpoint.away_for) {
    const std::chrono::duration<double> away = *endpoint.away_for;
    items.push_back({fmt::format("waited for since {}", clock_text(away.count())), yellow});
  }
  items.push_back(status_item(Status::accepted, facts.tally->of_endpoint(index, Status::accepted)));
  if (const auto count = facts.tally->of_endpoint(index, Status::rejected); count > 0) {
    items.push_back(status_item(Status::rejected, count));
  }
  items.push_back({fmt::format("sessions {}", endpoint.counts.sessions)});
  if (endpoint.counts.reply_times.count > 0) {
    items.push_back({"p99 " + time_text(endpoint.counts.reply_times.p99)});
  }
  if (!endpoint.pipelining.empty()) {
    items.push_back({std::string(endpoint.pipelining)});
  }
  if (!endpoint.trouble.empty()) {
    items.push_back({printable(endpoint.trouble)});
  }
  return items;
}

void append_item(std::string& line, const ProgressItem& item, bool color) {
  const bool is_colored = color && !item.color.empty();
  line += is_colored ? item.color : std::string_view{};
  line += item.text;
  line += is_colored ? color_off : std::string_view{};
}

constexpr std::size_t gap = 2;

// As many lines as it takes, each with as many items as fit.
void pack(std::vector<std::string>& lines, const ItemGroup& items, std::size_t columns,
          bool color) {
  std::size_t used = columns;
  for (const ProgressItem& item : items) {
    const ProgressItem fitting{cut(item.text, columns), item.color};
    const std::size_t wanted = columns_of(fitting.text);
    if (used + gap + wanted > columns) {
      lines.emplace_back();
      used = 0;
    } else {
      lines.back().append(gap, ' ');
      used += gap;
    }
    append_item(lines.back(), fitting, color);
    used += wanted;
  }
}

// One line, with what has room. The last one that begins in it is cut where that leaves enough.
std::string row_of(const ItemGroup& items, std::size_t columns, bool color) {
  constexpr std::size_t worth_cutting = 12;
  std::string line;
  std::size_t used = 0;
  for (const ProgressItem& item : items) {
    const std::size_t before = used + (used > 0 ? gap : 0);
    const std::size_t room = columns - std::min(columns, before);
    const bool fits = columns_of(item.text) <= room;
    if (!fits && used > 0 && (room < worth_cutting || item.text.size() < 2 * worth_cutting)) {
      break;
    }
    line.append(before - used, ' ');
    const ProgressItem shown{cut(item.text, room), item.color};
    append_item(line, shown, color);
    used = before + columns_of(shown.text);
  }
  return line;
}

// "[#########...........]  45 %"
std::string bar_of(const RunProgress& progress, std::size_t columns, bool color) {
  const auto total = static_cast<double>(std::max<std::uint64_t>(*progress.messages_total, 1));
  const double share = std::min(1.0, static_cast<double>(progress.messages_done) / total);
  // Only what is done is done: 99.9 is 99.
  const std::string percent = fmt::format("] {:>3.0f} %", std::floor(share * 100));
  const std::size_t width = columns - std::min(columns, percent.size() + 1);
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
  std::string bar = "[";
  bar += color ? green : std::string_view{};
  bar.append(filled, '#');
  bar += color ? color_off : std::string_view{};
  bar.append(width - filled, '.');
  return bar + percent;
}

void append_endpoints(std::vector<std::string>& lines, const RunFacts& facts, std::size_t columns,
                      std::size_t rows, bool color) {
  const std::size_t count = facts.endpoints.size();
  const std::size_t shown = count <= rows ? count : rows - std::min<std::size_t>(rows, 1);
  for (std::size_t i = 0; i < shown; ++i) {
    lines.push_back(row_of(endpoint_items(facts, i), columns, color));
  }
  if (shown < count && rows > 0) {
    lines.push_back(cut(fmt::format("and {} more", counted(count - shown, "endpoint")), columns));
  }
}

}  // namespace

std::vector<std::string> progress_block(const RunFacts& facts, const TerminalSize& size,
                                        bool color) {
  const std::size_t columns = std::max(size.columns, columns_min) - 1;
  const std::size_t rows = std::max<std::size_t>(size.rows, 2) - 1;
  std::vector<std::string> lines;
  if (facts.progress.messages_total) {
    lines.push_back(bar_of(facts.progress, columns, color));
  }
  pack(lines, done_items(facts), columns, color);
  pack(lines, speed_items(facts), columns, color);
  pack(lines, status_items(facts), columns, color);
  pack(lines, session_items(facts), columns, color);
  const std::string limit = foremost_limit(facts);
  const std::size_t taken = lines.size() + (limit.empty() ? 0 : 1);
  append_endpoints(lines, facts, columns, rows - std::min(rows, taken), color);
  if (!limit.empty()) {
    lines.push_back(cut(limit, columns));
  }
  lines.resize(std::min(lines.size(), rows));
  return lines;
}

std::string progress_text(const RunFacts& facts) {
  std::string text;
  for (const ItemGroup& group :
       {done_items(facts), speed_items(facts), status_items(facts), session_items(facts)}) {
    for (const ProgressItem& item : group) {
      text += (text.empty() ? "" : "  ") + item.text;
    }
  }
  for (const EndpointReport& endpoint : facts.endpoints) {
    if (endpoint.away_for) {
      const std::chrono::duration<double> away = *endpoint.away_for;
      fmt::format_to(std::back_inserter(text), "  waiting for {} since {:.0f} s",
                     printable(endpoint.endpoint), away.count());
    }
  }
  const std::string limit = foremost_limit(facts);
  return limit.empty() ? text : text + "  " + limit;
}

namespace {

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

void append_json_counts(std::string& json, const EndpointCounts& counts) {
  fmt::format_to(std::back_inserter(json), ",\"sessions\":{},\"waiting\":{}", counts.sessions,
                 counts.waiting);
  if (counts.next_attempt_in) {
    fmt::format_to(std::back_inserter(json), ",\"next_attempt_seconds\":{:.1f}",
                   std::chrono::duration<double>(*counts.next_attempt_in).count());
  }
  append_json_spread(json, "reply_ms", counts.reply_times);
}

void append_json_course(std::string& json, const RunProgress& progress) {
  fmt::format_to(std::back_inserter(json), ",\"messages_done\":{},\"messages_total\":{}",
                 progress.messages_done,
                 progress.messages_total ? std::to_string(*progress.messages_total) : "null");
  fmt::format_to(std::back_inserter(json),
                 ",\"total_is_estimate\":{},\"messages_per_second_now\":{:.1f},"
                 "\"seconds_left\":{}",
                 progress.total_is_estimate, progress.rate,
                 progress.seconds_left ? fmt::format("{:.0f}", *progress.seconds_left) : "null");
}

}  // namespace

std::string progress_json(const RunFacts& facts) {
  std::string json = "{\"progress\":{";
  append_json_common(json, facts);
  append_json_away(json, facts);
  append_json_course(json, facts.progress);
  append_json_counts(json, facts.counts);
  json += ",\"endpoints\":[";
  for (std::size_t i = 0; i < facts.endpoints.size(); ++i) {
    json += i == 0 ? "{\"endpoint\":" : ",{\"endpoint\":";
    codec::append_json_string(json, facts.endpoints[i].endpoint);
    json += ",";
    append_json_endpoint_statuses(json, facts, i);
    append_json_counts(json, facts.endpoints[i].counts);
    append_json_limits(json, facts.endpoints[i], facts);
    json += "}";
  }
  json += "]}}\n";
  return json;
}

}  // namespace ringpost::cli
