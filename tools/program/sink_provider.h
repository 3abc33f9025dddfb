// The provider that a sink plays: flags and a preset become its announcements, limits and words.
#pragma once

#include <string>
#include <vector>

#include "tools/program/command_spec.h"
#include "tools/sink/sink_options.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// As texts, until the command runs. Of those that are empty the provider decides, or the sink.
struct ProviderFlags {
  std::string profile;
  std::string plan;
  std::vector<std::string> limits;
  std::vector<std::string> changes;

  std::string user;
  std::string mechanisms;
  std::string host_name;
  std::string listen_tls;
  std::string size_max;
  std::string recipients_max;
};

[[nodiscard]] std::vector<FlagSpec> provider_flags(ProviderFlags& flags);

// Lays all of it into `options`, whose extensions are known. The error names the flag.
[[nodiscard]] Result<void, std::string> play_provider(const ProviderFlags& flags,
                                                      sink::SinkOptions& options);

// One cap, "rate=70/s" or "connections=none"; the error is a clause.
[[nodiscard]] Result<sink::CapSetting, std::string> parse_cap(Bytes text);

}  // namespace ringpost::cli
