// The same as for Prometheus, for programs that speak JSON and for people with curl: percentiles in
// the place of buckets, and words on what is wrong with an endpoint. Names of members are stored by
// users: they are only ever added to.
#include <algorithm>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/serve/figures/service_figures.h"

namespace ringpost::serve {

namespace {

std::string quoted(Bytes text) {
  std::string out;
  codec::append_json_string(out, text);
  return out;
}

double milliseconds_of(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::string spread_json(const TimeSpread& times) {
  return fmt::format(
      R"({{"count":{},"p50_ms":{:.3f},"p90_ms":{:.3f},"p99_ms":{:.3f},"max_ms":{:.3f}}})",
      times.count, milliseconds_of(times.p50), milliseconds_of(times.p90),
      milliseconds_of(times.p99), milliseconds_of(times.max));
}

std::string outcomes_json(const EngineStatistics& engine) {
  std::string out = "{";
  for (std::size_t i = 0; i < engine.outcomes.size(); ++i) {
    out += fmt::format("{}{}:{}", i == 0 ? "" : ",", quoted(name_of(static_cast<Status>(i))),
                       engine.outcomes[i]);
  }
  return out + "}";
}

std::string held_back_json(const EndpointReport& report) {
  std::string out = "{";
  for (const FactorShare& held : report.held_back_by) {
    out += fmt::format("{}{}:{:.4f}", out.size() == 1 ? "" : ",", quoted(held.factor), held.share);
  }
  return out + "}";
}

// "up", "away" or "given up", and why.
std::string state_json(const ServiceFigures& figures, const EndpointReport& report) {
  for (const EndpointFailure& failure : figures.failures) {
    if (failure.endpoint == report.endpoint) {
      return fmt::format(R"("state":"given up","trouble":{})", quoted(failure.message));
    }
  }
  if (report.away_for) {
    return fmt::format(R"("state":"away","away_seconds":{:.3f},"trouble":{})",
                       std::chrono::duration<double>(*report.away_for).count(),
                       quoted(report.trouble));
  }
  return R"("state":"up")";
}

std::string endpoint_json(const ServiceFigures& figures, const EndpointReport& report) {
  const EndpointCounts& counts = report.counts;
  return fmt::format(
      R"({{"name":{},{},"sessions":{},"sessions_opened":{},"sessions_ready":{},)"
      R"("sessions_resumed":{},"transactions":{},"handed_over":{},"waiting":{},)"
      R"("refusals_unruled":{},"reply_times":{},"opening_times":{},"held_back_by":{}}})",
      quoted(report.endpoint), state_json(figures, report), counts.sessions, counts.sessions_opened,
      counts.sessions_ready, counts.sessions_resumed, counts.transactions, report.handed_over,
      counts.waiting, report.refusals_unruled, spread_json(counts.reply_times),
      spread_json(counts.opening_times), held_back_json(report));
}

std::string listener_json(const ListenerFigures& listener) {
  return fmt::format(
      R"({}:{{"connections":{},"connections_opened":{},"connections_turned_away":{}}})",
      quoted(listener.kind), listener.connections, listener.connections_opened,
      listener.connections_turned_away);
}

std::string webhook_json(const WebhookFigures& webhook) {
  return fmt::format(
      R"({{"name":{},"state":{},"delivered":{},"dead_letters":{},"requests":{{"taken":{},)"
      R"("put_off":{},"refused":{}}},"waiting":{},"bytes_waiting":{},"bytes_waiting_max":{}}})",
      quoted(webhook.name), webhook.is_away ? R"("away")" : R"("up")", webhook.delivered,
      webhook.dead_letters, webhook.requests_taken, webhook.requests_put_off,
      webhook.requests_refused, webhook.waiting, webhook.bytes_waiting, webhook.bytes_waiting_max);
}

template <typename Items, typename Write>
std::string joined_json(const Items& items, Write write) {
  std::string out;
  for (const auto& item : items) {
    out += out.empty() ? "" : ",";
    out += write(item);
  }
  return out;
}

}  // namespace

std::string stats_json(const ServiceFigures& figures) {
  const IntakeFigures& intake = figures.intake;
  const ProcessFigures& process = figures.process;
  std::string out =
      fmt::format(R"({{"version":{},"started":{:.3f},"outcomes":{},)", quoted(figures.version),
                  process.start_unix_seconds, outcomes_json(figures.engine));
  out +=
      fmt::format(R"("content_bytes":{},"under_way":{{"messages":{},"messages_max":{},"bytes":{},)"
                  R"("bytes_max":{}}},"refused_for_room":{},"outcome_lines_unwritten":{},)",
                  figures.engine.content_bytes, intake.messages, intake.messages_max, intake.bytes,
                  intake.bytes_max, intake.refused_for_room, intake.lines_unwritten);
  out += fmt::format(
      R"("endpoints":[{}],"listeners":{{{}}},"webhooks":[{}],)"
      R"("spool":{{"bytes":{},"bytes_max":{},"segments":{},"stored":{},"refused":{}}},)"
      R"("folders":{{"under_way":{},"done":{},"bad":{}}},)",
      joined_json(
          figures.endpoints,
          [&figures](const EndpointReport& report) { return endpoint_json(figures, report); }),
      joined_json(figures.listeners, listener_json), joined_json(figures.webhooks, webhook_json),
      figures.spool.bytes, figures.spool.bytes_max, figures.spool.segments, figures.spool.stored,
      figures.spool.refused, figures.folders.under_way, figures.folders.done, figures.folders.bad);
  out += fmt::format(R"("process":{{"cpu_seconds":{:.3f},"worker_busy":{:.4f},"resident_bytes":{},)"
                     R"("open_files":{},"open_files_max":{}}}}})",
                     process.cpu_seconds, figures.engine.worker_cpu_share, process.resident_bytes,
                     process.open_files, process.open_files_max);
  return out + "\n";
}

}  // namespace ringpost::serve
