// The first line is the answer, the rest its reasons: what binds, what would change that, and how
// much of each quota the run takes.
#include "tools/plan/plan_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/text/unix_date.h"
#include "tools/probe/json_writer.h"
#include "tools/process/numbers.h"
#include "tools/process/quota_limits.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

double plan_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string plan_time(std::int64_t unix_us) {
  std::string text;
  codec::append_rfc3339(text, unix_us);
  return text.substr(0, 16) + "Z";
}

std::int64_t plan_end(const PlanFinding& finding, Duration duration) {
  return finding.starts_unix_us + duration_cast<microseconds>(duration).count();
}

double per_second(const PlannedEndpoint& endpoint) {
  const double seconds = plan_seconds(endpoint.forecast.duration);
  return seconds > 0 ? static_cast<double>(endpoint.forecast.transactions) / seconds : 0;
}

std::string binding_text(const PlannedEndpoint& endpoint) {
  const ForecastResult& forecast = endpoint.forecast;
  const ForecastOptions& options = endpoint.options;
  switch (forecast.bound) {
    case ForecastBound::nothing:
      return "nothing: the jobs are few";
    case ForecastBound::rate:
      return forecast.binding < forecast.uses.size()
                 ? fmt::format("rate {} ({:.0f} % of the time); a higher one of the account: rate",
                               quota_limit_text(forecast.uses[forecast.binding].limit),
                               forecast.bound_share * 100)
                 : fmt::format("rates ({:.0f} % of the time)", forecast.bound_share * 100);
    case ForecastBound::connections:
      return fmt::format(
          "round trips: {}, {} a reply, {}{}; more of them: connections",
          counted(options.sessions, "connection"), duration_text(options.reply_time),
          name_of(options.way),
          options.session_messages_max > 0
              ? fmt::format(", {} a connection", counted(options.session_messages_max, "message"))
              : std::string());
  }
  RP_ASSERT(false);
}

// Windows that the units need, with what is used already.
double windows_of(const ForecastUse& use) {
  return static_cast<double>(use.units + use.used_before) /
         static_cast<double>(use.limit.window.amount);
}

std::string use_text(const ForecastUse& use) {
  const double share = windows_of(use) * 100;
  std::string text = fmt::format("{:<24} {} of this run", quota_limit_text(use.limit), use.units);
  if (use.used_before > 0) {
    text += fmt::format(", {} already used", use.used_before);
  }
  return text + (share <= 100 ? fmt::format(": {:.0f} % of one window", share)
                              : fmt::format(": {:.1f} windows", share / 100));
}

void append_planned(std::string& text, const PlanFinding& finding,
                    const PlannedEndpoint& endpoint) {
  const Duration duration = endpoint.forecast.duration;
  text += fmt::format(
      "\n{}: {} to {}, {}, {:.3g} a second\n", endpoint.name, counted(endpoint.messages, "message"),
      counted(endpoint.recipients, "recipient"), span_text(duration), per_second(endpoint));
  text += fmt::format("  bound by   {}\n", binding_text(endpoint));
  if (endpoint.options.rates.empty()) {
    text +=
        "  rate       none is known: what the provider allows may make it longer (rate = "
        "\"14/s\")\n";
  }
  if (endpoint.rate_is_learnt) {
    text +=
        "  rate       was found out by an earlier run, and nobody has told it (presets learnt)\n";
  }
  for (const ForecastUse& use : endpoint.forecast.uses) {
    text += fmt::format("  quota      {}\n", use_text(use));
    if (use.limit.period == QuotaPeriod::day && windows_of(use) > 1) {
      text += fmt::format("             all of it not before {}\n",
                          plan_time(plan_end(finding, duration)));
    }
  }
  if (!endpoint.way_is_known) {
    text += fmt::format("  way        {} presumed: what the server announces is not known\n",
                        name_of(endpoint.options.way));
  }
}

void add_use(JsonWriter& json, const ForecastUse& use) {
  json.open('{');
  json.text("limit", quota_limit_text(use.limit));
  json.number("amount", static_cast<std::int64_t>(use.limit.window.amount));
  json.number("used_before", static_cast<std::int64_t>(use.used_before));
  json.number("units", static_cast<std::int64_t>(use.units));
  json.decimal("windows", windows_of(use));
  json.close('}');
}

void add_planned(JsonWriter& json, const PlanFinding& finding, const PlannedEndpoint& endpoint) {
  const ForecastResult& forecast = endpoint.forecast;
  json.open('{');
  json.text("endpoint", endpoint.name);
  json.number("messages", static_cast<std::int64_t>(endpoint.messages));
  json.number("transactions", static_cast<std::int64_t>(forecast.transactions));
  json.number("recipients", static_cast<std::int64_t>(endpoint.recipients));
  json.number("bytes", static_cast<std::int64_t>(endpoint.octets));
  json.decimal("duration_s", plan_seconds(forecast.duration));
  json.text("not_before", plan_time(plan_end(finding, forecast.duration)));
  json.text("bound_by", name_of(forecast.bound));
  json.decimal("bound_share", forecast.bound_share);
  if (forecast.binding < forecast.uses.size()) {
    json.text("binding_rate", quota_limit_text(forecast.uses[forecast.binding].limit));
  }
  json.text("why", binding_text(endpoint));
  json.boolean("rate_is_known", !endpoint.options.rates.empty());
  json.boolean("rate_is_learnt", endpoint.rate_is_learnt);
  json.number("connections", endpoint.options.sessions);
  json.number("messages_per_connection",
              static_cast<std::int64_t>(endpoint.options.session_messages_max));
  json.text("way", name_of(endpoint.options.way));
  json.boolean("way_is_known", endpoint.way_is_known);
  json.open("quotas", '[');
  for (const ForecastUse& use : forecast.uses) {
    add_use(json, use);
  }
  json.close(']');
  json.close('}');
}

}  // namespace

Duration PlanFinding::duration() const {
  Duration longest{0};
  for (const PlannedEndpoint& endpoint : endpoints) {
    longest = std::max(longest, endpoint.forecast.duration);
  }
  return longest;
}

std::string span_text(Duration duration) {
  const double seconds = plan_seconds(duration);
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  constexpr std::int64_t minute = 60;
  constexpr std::int64_t hour = 60 * minute;
  constexpr std::int64_t day = 24 * hour;
  return seconds < minute ? fmt::format("{:.1f} s", seconds)
         : whole < hour   ? fmt::format("{} min {} s", whole / minute, whole % minute)
         : whole < day    ? fmt::format("{} h {} min", whole / hour, whole % hour / minute)
                       : fmt::format("{} {} {} h", whole / day, whole / day == 1 ? "day" : "days",
                                     whole % day / hour);
}

std::string plan_text(const PlanFinding& finding) {
  std::string text =
      fmt::format("{} to {} take{} {}, until {}\n", counted(finding.jobs, "job"),
                  counted(finding.recipients, "recipient"), finding.jobs == 1 ? "s" : "",
                  span_text(finding.duration()), plan_time(plan_end(finding, finding.duration())));
  if (finding.invalid > 0) {
    text += fmt::format("{}, the first: {}\n",
                        finding.invalid == 1
                            ? "1 line is no job and is left out"
                            : fmt::format("{} lines are no jobs and are left out", finding.invalid),
                        printable(finding.first_invalid));
  }
  for (const PlannedEndpoint& endpoint : finding.endpoints) {
    append_planned(text, finding, endpoint);
  }
  text += fmt::format("\nA reply is taken to need {}{}; refusals and retries are not foreseen.\n",
                      duration_text(finding.reply_time),
                      finding.reply_time_is_presumed
                          ? ", which nobody measured (--reply-time; ringpost probe shows it)"
                          : "");
  for (const std::string& note : finding.notes) {
    text += note + "\n";
  }
  return text;
}

std::string plan_json(const PlanFinding& finding) {
  JsonWriter json;
  json.open('{');
  json.number("jobs", static_cast<std::int64_t>(finding.jobs));
  json.number("recipients", static_cast<std::int64_t>(finding.recipients));
  json.number("invalid", static_cast<std::int64_t>(finding.invalid));
  json.decimal("duration_s", plan_seconds(finding.duration()));
  json.text("starts", plan_time(finding.starts_unix_us));
  json.text("not_before", plan_time(plan_end(finding, finding.duration())));
  json.milliseconds("reply_time_ms", plan_seconds(finding.reply_time) * 1000);
  json.boolean("reply_time_is_presumed", finding.reply_time_is_presumed);
  json.boolean("counts_are_known", finding.counts_are_known);
  json.open("endpoints", '[');
  for (const PlannedEndpoint& endpoint : finding.endpoints) {
    add_planned(json, finding, endpoint);
  }
  json.close(']');
  json.texts("notes", finding.notes);
  json.close('}');
  return json.json() + "\n";
}

}  // namespace ringpost::cli
