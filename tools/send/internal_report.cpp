// The problem: "two system calls a message" is true until somebody changes something. The idea:
// what the hot path counts is printed on demand, from one list for text and JSON; people get it
// divided by messages, programs as totals that they can subtract. Limits: allocations are there
// only where the program was linked to count them.
#include "tools/send/internal_report.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace ringpost::cli {

namespace {

struct InternalCounter {
  std::string_view name;   // in JSON
  std::string_view words;  // in text
  std::uint64_t total = 0;
};

// A body is copied once by the reader, into the job; `bytes_copied` has what comes after that.
std::vector<InternalCounter> counters_of(const RunFacts& facts) {
  const EngineStatistics& statistics = facts.statistics;
  std::vector<InternalCounter> counters = {
      {"messages", "messages", statistics.messages},
      {"turns", "turns of the workers", statistics.turns},
      {"ring_enters",
       statistics.io == IoChoice::ring ? "io_uring_enter calls" : "system calls on sockets (epoll)",
       statistics.ring_enters},
      {"ring_submitted", "operations submitted", statistics.ring_submitted},
      {"ring_completions", "completions", statistics.ring_completions},
      {"receives", "receives with octets", statistics.receives},
      {"sends", "sends", statistics.sends},
      {"send_bytes", "octets sent", statistics.send_bytes},
      {"tls_records", "TLS records", statistics.tls_records},
      {"bytes_copied", "octets copied on the way out", statistics.bytes_copied},
      {"receive_buffers_exhausted", "times without receive buffer",
       statistics.receive_buffers_exhausted},
      {"completion_overflows", "completion queue overflows", statistics.completion_overflows},
  };
  if (facts.allocations_counted) {
    counters.push_back({"reader_allocations", "allocations, reader", facts.reader_allocations});
    counters.push_back(
        {"worker_allocations", "allocations, workers", statistics.worker_allocations});
    counters.push_back(
        {"outcome_allocations", "allocations, outcomes", statistics.outcome_allocations});
  }
  return counters;
}

double ratio(std::uint64_t count, std::uint64_t to) {
  return static_cast<double>(count) / static_cast<double>(std::max<std::uint64_t>(to, 1));
}

}  // namespace

void append_internal_text(std::string& text, const RunFacts& facts) {
  const EngineStatistics& statistics = facts.statistics;
  text += "internal counters, and for each message:\n";
  for (const InternalCounter& counter : counters_of(facts)) {
    fmt::format_to(std::back_inserter(text), "{:>14}  {:>10.3f}  {}\n", counter.total,
                   ratio(counter.total, statistics.messages), counter.words);
  }
  fmt::format_to(std::back_inserter(text),
                 "{:>26.3f}  octets copied for each of content, behind the reader\n"
                 "{:>26.3f}  receives a turn\n{:>26.3f}  TLS records a send\n",
                 ratio(statistics.bytes_copied, statistics.content_bytes),
                 ratio(statistics.receives, statistics.turns),
                 ratio(statistics.tls_records, statistics.sends));
}

void append_internal_json(std::string& json, const RunFacts& facts) {
  json += ",\"internal\":{";
  bool first = true;
  for (const InternalCounter& counter : counters_of(facts)) {
    fmt::format_to(std::back_inserter(json), "{}\"{}\":{}", first ? "" : ",", counter.name,
                   counter.total);
    first = false;
  }
  json += "}";
}

}  // namespace ringpost::cli
