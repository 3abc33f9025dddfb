// In both, each stretch of time in which a rate was in force stands for itself: a rate that changed
// is another one. A limit that nobody has set is null in JSON and not named in the text.
#include "tools/sink/limits_summary.h"

#include <iterator>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/process/wording.h"

namespace ringpost::sink {

namespace {

std::string_view name_of_unit(QuotaUnit unit) {
  switch (unit) {
    case QuotaUnit::messages:
      return "messages";
    case QuotaUnit::recipients:
      return "recipients";
    case QuotaUnit::octets:
      return "bytes";
  }
  RP_ASSERT(false);
}

std::uint64_t refused_of(const LimitsReport& report, ProviderLimit limit) {
  return report.refused[static_cast<std::size_t>(limit)];
}

void append_rate_text(std::string& text, const RateReport& rate) {
  fmt::format_to(
      std::back_inserter(text),
      "  {} {} in {:g} s, from {:.1f} s on: {} came, {} accepted, {} refused; at most {} "
      "came in any window ({:.1f} % over), {} accepted\n",
      rate.limit.window.amount, name_of_unit(rate.limit.unit), seconds_of(rate.limit.window.length),
      rate.from_s, rate.came, rate.accepted, rate.refused, rate.peak, rate.over() * 100,
      rate.peak_accepted);
}

void append_rate_json(std::string& json, const RateReport& rate) {
  fmt::format_to(
      std::back_inserter(json),
      R"({{"unit":"{}","window_s":{:.9g},"allowed":{},"from_s":{:.3f},"came":{},"accepted":{},)",
      name_of_unit(rate.limit.unit), seconds_of(rate.limit.window.length), rate.limit.window.amount,
      rate.from_s, rate.came, rate.accepted);
  fmt::format_to(std::back_inserter(json),
                 R"("refused":{},"peak":{},"peak_accepted":{},"over":{:.6f}}})", rate.refused,
                 rate.peak, rate.peak_accepted, rate.over());
}

// What has a number and nothing else. 0: there is no such limit.
struct PlainLimit {
  ProviderLimit limit;
  double allowed;
  std::string_view unit;
};

std::array<PlainLimit, 6> plain_limits(const ProviderCaps& caps) {
  return {
      {{ProviderLimit::connections, static_cast<double>(caps.connections), "connections"},
       {ProviderLimit::messages, static_cast<double>(caps.messages), "messages a connection"},
       {ProviderLimit::recipients, static_cast<double>(caps.recipients), "recipients a message"},
       {ProviderLimit::bytes, static_cast<double>(caps.bytes), "octets a message"},
       {ProviderLimit::idle, seconds_of(caps.idle), "s without a word"},
       {ProviderLimit::age, seconds_of(caps.age), "s a connection"}}};
}

void append_seconds(std::string& json, const std::vector<std::uint32_t>& by_second) {
  json.push_back('[');
  for (std::size_t i = 0; i < by_second.size(); ++i) {
    fmt::format_to(std::back_inserter(json), "{}{}", i == 0 ? "" : ",", by_second[i]);
  }
  json.push_back(']');
}

}  // namespace

void append_limits_text(std::string& text, const LimitsReport& report) {
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "limits      of {}; {} at most; {} refused",
                 report.name.empty() ? "no provider" : report.name,
                 cli::counted(report.connections_peak, "connection"),
                 cli::counted(report.logins_refused, "login"));
  if (const std::uint64_t outages = refused_of(report, ProviderLimit::outage); outages != 0) {
    fmt::format_to(out, "; {} refused for an outage", outages);
  }
  text.push_back('\n');
  for (const RateReport& rate : report.rates) {
    append_rate_text(text, rate);
  }
  for (const PlainLimit& plain : plain_limits(report.caps)) {
    const std::uint64_t refused = refused_of(report, plain.limit);
    if (plain.allowed != 0 || refused != 0) {
      fmt::format_to(out, "  {:.9g} {}: {} refused\n", plain.allowed, plain.unit, refused);
    }
  }
}

void append_limits_json(std::string& json, const LimitsReport& report) {
  const auto out = std::back_inserter(json);
  json += R"({"profile":)";
  codec::append_json_string(json, report.name);
  json += R"(,"rates":[)";
  for (std::size_t i = 0; i < report.rates.size(); ++i) {
    json += i == 0 ? "" : ",";
    append_rate_json(json, report.rates[i]);
  }
  json.push_back(']');
  for (const PlainLimit& plain : plain_limits(report.caps)) {
    fmt::format_to(out, R"(,"{}":{{"allowed":{},"refused":{}}})", name_of(plain.limit),
                   plain.allowed == 0 ? "null" : fmt::format("{:.12g}", plain.allowed),
                   refused_of(report, plain.limit));
  }
  fmt::format_to(out, R"(,"connections_peak":{},"logins_refused":{},"refused_for_outage":{})",
                 report.connections_peak, report.logins_refused,
                 refused_of(report, ProviderLimit::outage));
  json += R"(,"came_by_second":)";
  append_seconds(json, report.came_by_second);
  json += R"(,"accepted_by_second":)";
  append_seconds(json, report.accepted_by_second);
  json += R"(,"refused_by_second":)";
  append_seconds(json, report.refused_by_second);
  json.push_back('}');
}

}  // namespace ringpost::sink
