// What a benchmark has found: of one run, and of all of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::cli {

// What is timed. The steps of a session have the names of stages.
enum class Series : std::uint8_t {
  latency,  // of a message: see BenchFinding::is_open_loop
  connect,
  tls,
  greeting,
  ehlo,
  starttls,
  auth,
  mail,
  rcpt,
  data,
  eod,
};
inline constexpr std::array<std::string_view, 11> series_names = {
    "latency", "connect", "tls",  "greeting", "ehlo", "starttls",
    "auth",    "mail",    "rcpt", "data",     "eod"};

struct Percentile {
  std::string_view name;
  double percent;
};
inline constexpr std::array<Percentile, 7> percentiles = {{{"p50", 50},
                                                           {"p75", 75},
                                                           {"p90", 90},
                                                           {"p95", 95},
                                                           {"p99", 99},
                                                           {"p99.9", 99.9},
                                                           {"p99.99", 99.99}}};

// Of one series, in microseconds, to within 0.1 %.
struct TimeSummary {
  std::uint64_t count = 0;
  std::int64_t min = 0;
  double mean = 0;
  std::array<std::int64_t, percentiles.size()> at{};
  std::int64_t max = 0;
};

struct BenchFinding {
  std::string varied;  // the value of what is varied; empty: nothing is
  // Latency is counted from when a message was due, else from when a session took it.
  bool is_open_loop = false;
  double rate_wanted = 0;  // of an open loop, a second
  std::uint32_t connections = 0;
  std::int64_t began_at_us = 0;  // Unix time of when the first message that counts was due
  double seconds = 0;            // from there to the last answer
  std::uint64_t messages = 0;    // that were begun behind the warm-up
  std::uint64_t not_begun = 0;   // due, but the server did not keep up
  std::uint64_t bytes = 0;       // content of accepted messages
  std::array<std::uint64_t, status_count> recipients{};
  double late_ms_max = 0;  // of an open loop: how far submission fell behind at most
  std::array<TimeSummary, series_names.size()> times{};
  std::uint64_t sessions_opened = 0;
  std::uint64_t sessions_ready = 0;
  std::uint64_t sessions_resumed = 0;
  double cpu_us_per_message = 0;        // of this process, warm-up and all
  std::string way;                      // of speaking, as EndpointReport has it
  std::vector<std::string> failures{};  // of the endpoint

  [[nodiscard]] const TimeSummary& of(Series series) const {
    return times[static_cast<std::size_t>(series)];
  }
  [[nodiscard]] std::uint64_t count_of(Status status) const {
    return recipients[static_cast<std::size_t>(status)];
  }
  [[nodiscard]] std::uint64_t recipients_total() const {
    std::uint64_t sum = not_begun;
    for (const std::uint64_t count : recipients) {
      sum += count;
    }
    return sum;
  }
  // Of recipients, those of messages that were due and not begun included.
  [[nodiscard]] double accepted_share() const {
    const std::uint64_t total = recipients_total();
    return total == 0
               ? 0
               : static_cast<double>(count_of(Status::accepted)) / static_cast<double>(total);
  }
  [[nodiscard]] double messages_per_second() const {
    return seconds > 0 ? static_cast<double>(messages_answered) / seconds : 0;
  }
  std::uint64_t messages_answered = 0;  // whatever the answer was
};

}  // namespace ringpost::cli
