// What a service did so far, as of one moment: /metrics and /v1/stats say the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::serve {

// Of the way in, with its bounds.
struct IntakeFigures {
  std::uint64_t messages = 0;  // under way
  std::uint64_t messages_max = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_max = 0;
  std::uint64_t refused_for_room = 0;  // messages that were put off
  std::uint64_t lines_unwritten = 0;   // outcome lines that wait for the disk
};

// Of a kind of listeners.
struct ListenerFigures {
  std::string_view kind;  // "smtp", "http"
  std::uint64_t connections = 0;
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_turned_away = 0;
};

// Of one receiver of outcomes. Outcomes are counted, and requests where it says so.
struct WebhookFigures {
  std::string name;
  bool is_away = false;  // its last request was not taken, and may be later
  std::uint64_t delivered = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t requests_taken = 0;
  std::uint64_t requests_put_off = 0;
  std::uint64_t requests_refused = 0;
  std::uint64_t waiting = 0;
  std::uint64_t bytes_waiting = 0;
  std::uint64_t bytes_waiting_max = 0;
};

// Of stored mail.
struct SpoolFigures {
  std::uint64_t bytes = 0;      // of stored jobs
  std::uint64_t bytes_max = 0;  // 0: there is no spool
  std::uint64_t segments = 0;
  std::uint64_t stored = 0;   // messages so far
  std::uint64_t refused = 0;  // for lack of room
};

// Of watched folders: files.
struct FolderFigures {
  std::uint64_t under_way = 0;
  std::uint64_t done = 0;
  std::uint64_t bad = 0;  // that were set aside
};

struct ProcessFigures {
  double start_unix_seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_files = 0;
  std::uint64_t open_files_max = 0;
};

struct ServiceFigures {
  std::string version;
  EngineStatistics engine;
  std::vector<EndpointReport> endpoints;
  std::vector<EndpointFailure> failures;  // endpoints that were given up
  IntakeFigures intake;
  std::vector<ListenerFigures> listeners;
  std::vector<WebhookFigures> webhooks;
  SpoolFigures spool;
  FolderFigures folders;
  ProcessFigures process;
};

// Of this process, now.
[[nodiscard]] ProcessFigures process_figures();

// Prometheus' text format, version 0.0.4.
[[nodiscard]] std::string metrics_text(const ServiceFigures& figures);
// One JSON object and a newline: docs/schema/stats.schema.json.
[[nodiscard]] std::string stats_json(const ServiceFigures& figures);

}  // namespace ringpost::serve
