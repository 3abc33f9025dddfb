// The problem: a metric that every message counts in costs more than the message: prometheus-cpp's
// own counters are atomics that all cores write. The idea: workers count as they always did, each
// for itself, and a Collectable puts families together when somebody asks. Names go by the rules of
// Prometheus: `ringpost_`, base units, `_total` for what only grows. Limits: labels are endpoints,
// statuses, factors, kinds of listeners, webhooks, and nothing that a client or a server can make
// up.
#include <algorithm>
#include <iterator>
#include <limits>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sstream>
#include <utility>

#include "tools/serve/figures/service_figures.h"

namespace ringpost::serve {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

double seconds_of_duration(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Families in the order in which they come up.
class Families {
 public:
  void counter(const char* name, const char* help, double value, Labels labels = {}) {
    add(name, help, MetricType::Counter, std::move(labels)).counter.value = value;
  }
  void gauge(const char* name, const char* help, double value, Labels labels = {}) {
    add(name, help, MetricType::Gauge, std::move(labels)).gauge.value = value;
  }
  void counter(const char* name, const char* help, std::uint64_t value, Labels labels = {}) {
    counter(name, help, static_cast<double>(value), std::move(labels));
  }
  void gauge(const char* name, const char* help, std::uint64_t value, Labels labels = {}) {
    gauge(name, help, static_cast<double>(value), std::move(labels));
  }
  void histogram(const char* name, const char* help, const TimeSpread& times, Labels labels) {
    ClientMetric::Histogram& histogram =
        add(name, help, MetricType::Histogram, std::move(labels)).histogram;
    histogram.sample_count = times.count;
    histogram.sample_sum = seconds_of_duration(times.sum);
    for (std::size_t i = 0; i < time_bounds.size(); ++i) {
      histogram.bucket.push_back({times.within[i], seconds_of_duration(time_bounds[i])});
    }
    histogram.bucket.push_back({times.count, std::numeric_limits<double>::infinity()});
  }

  std::vector<MetricFamily> take() { return std::move(families_); }

 private:
  // All of one name stand together, whatever comes up between them.
  ClientMetric& add(const char* name, const char* help, MetricType type, Labels labels) {
    auto at = std::find_if(families_.begin(), families_.end(),
                           [name](const MetricFamily& family) { return family.name == name; });
    if (at == families_.end()) {
      families_.push_back({name, help, type, {}});
      at = std::prev(families_.end());
    }
    at->metric.emplace_back();
    at->metric.back().label = std::move(labels);
    return at->metric.back();
  }

  std::vector<MetricFamily> families_;
};

void add_endpoint(Families& families, const EndpointReport& report, bool is_given_up) {
  const Labels labels{{"endpoint", report.endpoint}};
  const EndpointCounts& counts = report.counts;
  families.gauge(
      "ringpost_endpoint_up",
      "Whether mail goes out by it: 0 while it does not answer, and once it was given up.",
      is_given_up || report.away_for ? 0.0 : 1.0, labels);
  families.gauge("ringpost_endpoint_away_seconds", "For how long it has not answered.",
                 report.away_for ? seconds_of_duration(*report.away_for) : 0.0, labels);
  families.counter("ringpost_transactions_total", "SMTP transactions that ended.",
                   counts.transactions, labels);
  families.counter("ringpost_transactions_handed_over_total",
                   "Transactions that other endpoints were given, because it did not answer.",
                   report.handed_over, labels);
  families.gauge("ringpost_sessions", "SMTP sessions that take messages.", counts.sessions, labels);
  families.counter("ringpost_sessions_opened_total", "SMTP sessions that were to be opened.",
                   counts.sessions_opened, labels);
  families.counter("ringpost_sessions_ready_total",
                   "SMTP sessions that came as far as taking messages.", counts.sessions_ready,
                   labels);
  families.counter("ringpost_sessions_resumed_total",
                   "SMTP sessions whose TLS was resumed with a ticket.", counts.sessions_resumed,
                   labels);
  families.gauge("ringpost_deliveries_waiting", "Deliveries that wait for another attempt.",
                 counts.waiting, labels);
  families.counter("ringpost_refusals_unruled_total", "Refusals that fitted no rule for replies.",
                   report.refusals_unruled, labels);
  families.histogram("ringpost_reply_seconds",
                     "From the end of a message's data to the server's reply to it.",
                     counts.reply_times, labels);
  families.histogram("ringpost_session_opening_seconds",
                     "From connecting to a session that takes messages.", counts.opening_times,
                     labels);
  for (const FactorShare& held : report.held_back_by) {
    families.gauge("ringpost_held_back_ratio",
                   "What held it back, as a part of the time in which there was something to send.",
                   held.share,
                   {{"endpoint", report.endpoint}, {"factor", std::string(held.factor)}});
  }
}

void add_engine(Families& families, const EngineStatistics& engine) {
  for (std::size_t i = 0; i < engine.outcomes.size(); ++i) {
    families.counter("ringpost_outcomes_total", "Recipients whose outcome is final.",
                     engine.outcomes[i],
                     {{"status", std::string(name_of(static_cast<Status>(i)))}});
  }
  families.counter("ringpost_content_bytes_total", "Octets of content of accepted messages.",
                   engine.content_bytes);
  families.gauge("ringpost_worker_busy_ratio",
                 "CPU of workers as a part of the time that they have had.",
                 engine.worker_cpu_share);
}

void add_intake(Families& families, const IntakeFigures& intake) {
  families.gauge("ringpost_messages_under_way", "Messages that were taken and have no outcome yet.",
                 intake.messages);
  families.gauge("ringpost_messages_under_way_max", "Messages that may be under way.",
                 intake.messages_max);
  families.gauge("ringpost_bytes_under_way", "Octets of messages under way.", intake.bytes);
  families.gauge("ringpost_bytes_under_way_max", "Octets of messages that may be under way.",
                 intake.bytes_max);
  families.counter("ringpost_refused_for_room_total",
                   "Messages that were put off, since as many as may be were under way.",
                   intake.refused_for_room);
  families.gauge("ringpost_outcome_lines_unwritten",
                 "Outcome lines that could not be written and wait for room.",
                 intake.lines_unwritten);
}

void add_listener(Families& families, const ListenerFigures& listener) {
  const Labels labels{{"listener", std::string(listener.kind)}};
  families.gauge("ringpost_client_connections", "Connections of clients.", listener.connections,
                 labels);
  families.counter("ringpost_client_connections_opened_total", "Connections of clients so far.",
                   listener.connections_opened, labels);
  families.counter("ringpost_client_connections_turned_away_total",
                   "Connections of clients beyond the number that may be.",
                   listener.connections_turned_away, labels);
}

void add_webhook(Families& families, const WebhookFigures& webhook) {
  const auto labelled = [&webhook](std::string_view result) {
    return Labels{{"webhook", webhook.name}, {"result", std::string(result)}};
  };
  const Labels labels{{"webhook", webhook.name}};
  families.gauge("ringpost_webhook_up", "Whether it takes outcomes: 0 while it is tried again.",
                 webhook.is_away ? 0.0 : 1.0, labels);
  const char* const outcomes = "Outcomes that a webhook was told, and those that are in its file.";
  families.counter("ringpost_webhook_outcomes_total", outcomes, webhook.delivered,
                   labelled("delivered"));
  families.counter("ringpost_webhook_outcomes_total", outcomes, webhook.dead_letters,
                   labelled("dead_letter"));
  const char* const requests = "Requests of a webhook, by what became of them.";
  families.counter("ringpost_webhook_requests_total", requests, webhook.requests_taken,
                   labelled("taken"));
  families.counter("ringpost_webhook_requests_total", requests, webhook.requests_put_off,
                   labelled("put_off"));
  families.counter("ringpost_webhook_requests_total", requests, webhook.requests_refused,
                   labelled("refused"));
  families.gauge("ringpost_webhook_bytes_waiting", "Octets of outcomes that wait for a webhook.",
                 webhook.bytes_waiting, labels);
  families.gauge("ringpost_webhook_bytes_waiting_max", "Octets that may wait for it.",
                 webhook.bytes_waiting_max, labels);
}

void add_spool(Families& families, const SpoolFigures& spool) {
  families.gauge("ringpost_spool_bytes", "Octets of stored mail.", spool.bytes);
  families.gauge("ringpost_spool_bytes_max", "Octets that may be stored; 0: there is no spool.",
                 spool.bytes_max);
  families.gauge("ringpost_spool_segments", "Job files of the spool.", spool.segments);
  families.counter("ringpost_spool_stored_total", "Messages that were stored.", spool.stored);
  families.counter("ringpost_spool_refused_total", "Messages that the spool had no room for.",
                   spool.refused);
}

void add_process(Families& families, const ProcessFigures& process) {
  families.counter("process_cpu_seconds_total", "User and system CPU time.", process.cpu_seconds);
  families.gauge("process_resident_memory_bytes", "Resident memory.", process.resident_bytes);
  families.gauge("process_open_fds", "Open file descriptors.", process.open_files);
  families.gauge("process_max_fds", "File descriptors that may be open.", process.open_files_max);
  families.gauge("process_start_time_seconds", "Start of the process, in Unix time.",
                 process.start_unix_seconds);
}

class FiguresCollectable : public prometheus::Collectable {
 public:
  explicit FiguresCollectable(const ServiceFigures& figures) : figures_(figures) {}

  std::vector<MetricFamily> Collect() const override {
    Families families;
    families.gauge("ringpost_build_info", "The version, as a label.", 1.0,
                   {{"version", figures_.version}});
    add_engine(families, figures_.engine);
    for (const EndpointReport& report : figures_.endpoints) {
      add_endpoint(families, report, is_given_up(report));
    }
    add_intake(families, figures_.intake);
    for (const ListenerFigures& listener : figures_.listeners) {
      add_listener(families, listener);
    }
    add_spool(families, figures_.spool);
    const FolderFigures& folders = figures_.folders;
    families.gauge("ringpost_watch_files", "Files of watched folders that are being sent.",
                   folders.under_way);
    const char* const files = "Files of watched folders, by what became of them.";
    families.counter("ringpost_watch_files_total", files, folders.done, {{"result", "done"}});
    families.counter("ringpost_watch_files_total", files, folders.bad, {{"result", "bad"}});
    for (const WebhookFigures& webhook : figures_.webhooks) {
      add_webhook(families, webhook);
    }
    add_process(families, figures_.process);
    return families.take();
  }

 private:
  [[nodiscard]] bool is_given_up(const EndpointReport& report) const {
    return std::any_of(
        figures_.failures.begin(), figures_.failures.end(),
        [&report](const EndpointFailure& failure) { return failure.endpoint == report.endpoint; });
  }

  const ServiceFigures& figures_;
};

}  // namespace

std::string metrics_text(const ServiceFigures& figures) {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, FiguresCollectable(figures).Collect());
  return std::move(out).str();
}

}  // namespace ringpost::serve
