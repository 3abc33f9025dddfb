// How a run went, in words for people and as JSON for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/run/file_sink.h"
#include "engine/run/run_tally.h"
#include "tools/settings/settings.h"
#include <ringpost/engine.h>

namespace ringpost::cli {

// How far a run has come, as a RunMeter says it.
struct RunProgress {
  std::uint64_t messages_done = 0;
  std::optional<std::uint64_t> messages_total;  // nothing: nobody knows
  bool total_is_estimate = false;
  double rate = 0;  // accepted a second, of late
  std::optional<double> seconds_left;
};

struct NextStep {
  std::string why;
  std::string command;
};

// Everything that a report speaks of. Views and pointers live as long as the call.
struct RunFacts {
  const run::RunTally* tally = nullptr;
  EngineStatistics statistics;
  std::vector<EndpointFailure> failures;
  std::vector<EndpointReport> endpoints;
  EndpointCounts counts;  // of all of them
  RunProgress progress;
  double seconds = 0;
  std::uint64_t jobs_read = 0;
  bool all_read = false;
  // Of a dry run, in which whoever would be sent to is `unsent`: octets of those messages.
  std::optional<std::uint64_t> bytes_rehearsed;
  std::uint64_t bytes_read = 0;   // of job files
  std::uint64_t bytes_total = 0;  // 0: not known
  std::string outcomes_path;      // empty: they go elsewhere, or
  bool keeps_outcomes = true;     // nowhere
  // Files of outcome lines that do not have all of them.
  std::vector<run::LostLines> lost_lines;
  int signal = 0;
  // Of a run that ended before its job files did. No number: jobs may be left, and nobody knows how
  // many.
  bool stopped_early = false;
  std::optional<std::uint64_t> jobs_unread;
  std::string unread_from;  // FILE:LINE; empty: not known
  std::vector<NextStep> next_steps;
  // --stats internal. Allocations are counted for each thread, or not at all.
  bool internal = false;
  bool allocations_counted = false;
  std::uint64_t reader_allocations = 0;
};

// The end of a run: several lines with a newline at the end, or one JSON object.
[[nodiscard]] std::string summary_text(const RunFacts& facts);
[[nodiscard]] std::string summary_json(const RunFacts& facts);
// Members that the JSON of a run has at its end and on its way.
void append_json_common(std::string& json, const RunFacts& facts);
// ",\"reply_ms\":{...}", in milliseconds.
void append_json_spread(std::string& json, std::string_view name, const TimeSpread& spread);
// {"accepted":12,...} of one endpoint.
void append_json_endpoint_statuses(std::string& json, const RunFacts& facts, std::size_t endpoint);

}  // namespace ringpost::cli
