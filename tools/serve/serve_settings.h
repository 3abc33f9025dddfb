// What one `ringpost serve` was told.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/process/log.h"
#include "tools/process/usage_error.h"
#include "tools/settings/config_file.h"
#include "tools/settings/secret.h"
#include "tools/settings/serve_setting.h"
#include <ringpost/base.h>
#include <ringpost/config.h>

namespace ringpost::cli {

// As they were typed; empty: not said.
struct ServeFlags {
  std::vector<std::string> endpoints;
  std::string config_path;
  std::string listen_smtp;
  std::string listen_http;
  std::string outcomes_path;
  std::string drain;
  std::string cores;
  std::string io;
  std::string state;
  std::string log_level;
  std::string log_format;
  std::string ready_file;
  bool hashes_password = false;
};

struct ServeSettings {
  std::vector<EndpointOptions> endpoints;  // complete, with passwords
  // What each was made of, its password and rules included, and when its files were written.
  std::map<std::string, std::string> endpoint_marks;
  // What stands in sections that are read at the start alone, by their names.
  std::map<std::string, std::string> section_marks;
  std::map<std::string, std::string> login_hints;
  std::string state_folder;
  std::uint32_t cores = 1;
  IoChoice io = IoChoice::automatic;
  Duration drain{};
  LogOptions log;
  ServeOptions serve;
  std::vector<SmtpListenOptions> smtp;  // all that listens
  std::vector<HttpListenOptions> http;
  NatsOptions nats;
  std::vector<RouteOptions> routes;
  std::vector<WebhookOptions> webhooks;  // complete
  std::vector<WatchOptions> folders;
  std::vector<std::string> warnings;
};

// Flags, variables and files, laid over each other as for `send`, whose settings hold for what both
// have. An address of --listen-smtp stands in the place of all [[listen.smtp]], and
// one of --listen-http of all [[listen.http]]. Reads the
// passwords, also when it is called again, in a process that has threads by then.
[[nodiscard]] Result<ServeSettings, UsageError> read_serve_settings(
    const ServeFlags& flags, const PasswordVariables& variables);

// All [[webhook]] of the files that -c or their places name, complete, each with a name of its own.
[[nodiscard]] Result<std::vector<WebhookOptions>, UsageError> read_webhooks(
    const Configuration& configuration);
// The same for a command that has nothing to do with endpoints. Empty: the usual files.
[[nodiscard]] Result<Configuration, UsageError> read_serve_configuration(
    const std::string& config_path);

}  // namespace ringpost::cli
