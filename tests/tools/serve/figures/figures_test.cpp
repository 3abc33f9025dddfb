#include <string>

#include <catch2/catch_test_macros.hpp>

#include "codec/text/json_echo.h"
#include "tools/serve/figures/service_figures.h"
#include <ringpost/limits.h>

namespace ringpost::serve {

namespace {

ServiceFigures sample() {
  ServiceFigures figures;
  figures.version = "1.2.3";
  figures.engine.outcomes[static_cast<std::size_t>(Status::accepted)] = 42;
  EndpointReport report;
  report.endpoint = "re\"lay\n";
  report.away_for = std::chrono::seconds(90);
  report.trouble = "connection refused";
  report.held_back_by.push_back({"rate", 0.75});
  report.counts.transactions = 7;
  report.counts.reply_times.count = 3;
  report.counts.reply_times.sum = std::chrono::milliseconds(1500);
  report.counts.reply_times.within[5] = 2;
  for (std::size_t i = 6; i < time_bounds.size(); ++i) {
    report.counts.reply_times.within[i] = 3;
  }
  figures.endpoints.push_back(report);
  figures.endpoints.emplace_back().endpoint = "spare";
  figures.intake = {.messages = 5, .messages_max = 10, .bytes = 100, .bytes_max = 1000};
  figures.listeners.push_back({"http", 1, 2, 3});
  figures.spool = {.bytes = 70, .bytes_max = 100, .segments = 2, .stored = 9, .refused = 1};
  figures.webhooks.push_back({.name = "shop",
                              .is_away = true,
                              .delivered = 40,
                              .dead_letters = 2,
                              .requests_put_off = 3,
                              .waiting = 1,
                              .bytes_waiting = 300,
                              .bytes_waiting_max = 1000});
  figures.process = process_figures();
  return figures;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("figures: Prometheus' text has each of them under its name, families in one piece") {
  const std::string text = metrics_text(sample());
  CHECK(has(text, "# TYPE ringpost_outcomes_total counter\n"));
  CHECK(has(text, "ringpost_outcomes_total{status=\"accepted\"} 42\n"));
  CHECK(has(text, "ringpost_outcomes_total{status=\"unknown\"} 0\n"));
  CHECK(has(text, "ringpost_endpoint_up{endpoint=\"re\\\"lay\\n\"} 0\n"));
  CHECK(has(text, "ringpost_endpoint_up{endpoint=\"spare\"} 1\n"));
  CHECK(has(text, "ringpost_endpoint_away_seconds{endpoint=\"re\\\"lay\\n\"} 90\n"));
  CHECK(has(text, "ringpost_held_back_ratio{endpoint=\"re\\\"lay\\n\",factor=\"rate\"} 0.75\n"));
  CHECK(has(text, "ringpost_reply_seconds_bucket{endpoint=\"re\\\"lay\\n\",le=\"0.05\"} 2\n"));
  CHECK(has(text, "ringpost_reply_seconds_bucket{endpoint=\"re\\\"lay\\n\",le=\"+Inf\"} 3\n"));
  CHECK(has(text, "ringpost_reply_seconds_sum{endpoint=\"re\\\"lay\\n\"} 1.5\n"));
  CHECK(has(text, "ringpost_client_connections_turned_away_total{listener=\"http\"} 3\n"));
  CHECK(has(text, "ringpost_webhook_up{webhook=\"shop\"} 0\n"));
  CHECK(has(text, "ringpost_spool_bytes 70\n"));
  CHECK(has(text, "ringpost_spool_refused_total 1\n"));
  CHECK(has(text, "ringpost_webhook_outcomes_total{webhook=\"shop\",result=\"dead_letter\"} 2\n"));
  CHECK(has(text, "ringpost_webhook_requests_total{webhook=\"shop\",result=\"put_off\"} 3\n"));
  CHECK(has(text, "ringpost_webhook_bytes_waiting{webhook=\"shop\"} 300\n"));
  CHECK(has(text, "ringpost_build_info{version=\"1.2.3\"} 1\n"));
  std::size_t families = 0;
  for (std::size_t at = text.find("# TYPE ringpost_endpoint_up "); at != std::string::npos;
       at = text.find("# TYPE ringpost_endpoint_up ", at + 1)) {
    ++families;
  }
  CHECK(families == 1);
}

TEST_CASE("figures: JSON has the same, with what is wrong in words") {
  ServiceFigures figures = sample();
  figures.failures.push_back({"spare", "auth", "535 no"});
  const std::string json = stats_json(figures);
  CHECK(codec::check_json(json, limits::job_depth_max).has_value());
  CHECK(has(json, R"("outcomes":{"accepted":42,)"));
  CHECK(has(json, R"("state":"away","away_seconds":90.000,"trouble":"connection refused")"));
  CHECK(has(json, R"("name":"spare","state":"given up","trouble":"535 no")"));
  CHECK(has(json, R"("spool":{"bytes":70,"bytes_max":100,"segments":2,"stored":9,"refused":1},)"));
  CHECK(has(json, R"("webhooks":[{"name":"shop","state":"away","delivered":40,)"));
  CHECK(has(json, R"("requests":{"taken":0,"put_off":3,"refused":0},"waiting":1,)"));
  CHECK(has(json, R"("under_way":{"messages":5,"messages_max":10,"bytes":100,"bytes_max":1000})"));
}

TEST_CASE("figures: this process has memory, files and a start") {
  const ProcessFigures process = process_figures();
  CHECK(process.cpu_seconds > 0);
  CHECK(process.resident_bytes > 100'000);
  CHECK(process.open_files >= 1);
  CHECK(process.open_files_max >= process.open_files);
  CHECK(process.start_unix_seconds > 1'700'000'000);
}

}  // namespace ringpost::serve
