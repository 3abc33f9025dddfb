// What one `ringpost bench` was told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/threshold.h"
#include "tools/process/log.h"
#include "tools/process/usage_error.h"
#include "tools/settings/endpoint_choice.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// As they were typed; empty: not said.
struct BenchFlags {
  std::string endpoint;
  std::string config_path;
  std::string count;
  std::string duration;
  std::string rate;
  std::string warmup;
  std::string drain = "30s";
  std::string connections;
  std::string pipeline;
  std::string chunking;
  std::string cores;
  std::string io;
  std::vector<std::string> sizes;
  std::string recipients = "1";
  std::string jobs_path;
  std::string from;
  std::vector<std::string> to;
  std::string vary;
  std::string thresholds;
  std::string base_path;
  std::string tolerance = "10";
  std::string hdr_path;
  bool json = false;
  bool owns_endpoint = false;
};

// What every run sends. A run changes what is varied, and nothing else.
struct LoadSettings {
  std::optional<std::uint64_t> count;  // messages; one of them at least
  std::optional<Duration> duration;
  double rate = 0;  // messages a second of an open loop; 0: closed
  Duration warmup{};
  Duration drain{};
  std::vector<std::uint64_t> sizes;  // octets of generated messages, in turns
  std::uint64_t recipients = 1;
  std::string jobs_path;  // in place of generated ones
  std::string from;
  std::vector<std::string> to;  // in turns; empty: addresses that belong to nobody
};

struct BenchSettings {
  ChosenEndpoint endpoint;
  std::uint32_t cores = 1;
  IoChoice io = IoChoice::automatic;
  LogOptions log;
  LoadSettings load;
  std::string varied;               // its name; empty: there is one run
  std::vector<std::string> values;  // of it
  std::vector<Threshold> thresholds;
  std::string base_path;
  double tolerance = 0.1;  // by which a figure may be worse than the base's
  std::string hdr_path;
  bool json = false;
};

// Reads files, variables and the password. Refuses a server on another machine.
[[nodiscard]] Result<BenchSettings, UsageError> read_bench_settings(const BenchFlags& flags);
// Of the run with this value of what is varied.
[[nodiscard]] Result<void, std::string> set_varied(const std::string& name,
                                                   const std::string& value,
                                                   ChosenEndpoint& endpoint, LoadSettings& load);

}  // namespace ringpost::cli
