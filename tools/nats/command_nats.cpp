// `ringpost nats`: what a cluster needs before `serve` can take jobs from it.
#include <memory>
#include <string>

#include <fmt/format.h>

#include "tools/nats/broker_set_up.h"
#include "tools/nats/client_options.h"
#include "tools/process/log.h"
#include "tools/process/numbers.h"
#include "tools/process/standard_output.h"
#include "tools/program/commands.h"
#include "tools/settings/config_file.h"

namespace ringpost::cli {

namespace {

constexpr const char* nats_examples =
    R"(What is there already is compared and never changed. Exit codes: 0 all is as it should be,
1 no server answers, or something differs; 2 usage.

Examples:
  ringpost nats setup --url nats://127.0.0.1:4222
  ringpost nats setup -c ringpost.toml --replicas 3 --ack-wait 1m)";

struct NatsFlags {
  std::string url;
  std::string config_path;
  std::string replicas;
  std::string ack_wait;
};

// [nats] of the files, with what the flags say on top.
Result<nats::SetupOptions, std::string> read_setup(const NatsFlags& flags) {
  const auto configuration = load_configuration(flags.config_path);
  if (!configuration) {
    return Failure(configuration.error().message);
  }
  nats::SetupOptions options;
  if (const auto found = configuration->sections.find("nats");
      found != configuration->sections.end()) {
    for (const SettingMap& settings : found->second) {
      ServeDraft draft;
      apply_section(*find_section("nats"), settings, draft);
      options.names = draft.nats;
    }
  }
  if (!flags.url.empty()) {
    options.names.url = flags.url;
  }
  if (options.names.url.empty()) {
    return Failure(std::string("no server: say --url nats://HOST:4222, or url in [nats]"));
  }
  if (!flags.replicas.empty()) {
    const auto replicas = parse_number(flags.replicas, {.min = 1, .max = 5});
    if (!replicas) {
      return Failure("--replicas: " + replicas.error());
    }
    options.replicas = *replicas;
  }
  if (!flags.ack_wait.empty()) {
    const auto ack_wait = parse_duration(flags.ack_wait);
    if (!ack_wait || *ack_wait < std::chrono::seconds(1)) {
      return Failure("--ack-wait: " +
                     (ack_wait ? std::string("less than a second is no time for a message")
                               : ack_wait.error()));
    }
    options.ack_wait = *ack_wait;
  }
  return options;
}

int run_nats_setup(const NatsFlags& flags) {
  const auto options = read_setup(flags);
  if (!options) {
    print_error("nats setup: " + options.error());
    return exit_usage;
  }
  const auto connection = nats::client_options(options->names);
  if (!connection) {
    print_error("nats setup: " + connection.error());
    return exit_usage;
  }
  const auto client = nats::Client::connect(*connection);
  if (!client) {
    print_error("nats setup: " + client.error());
    return nats::is_built_in() ? exit_uncategorised : exit_usage;
  }
  const auto report = nats::set_up_broker(**client, *options);
  if (!report) {
    print_error("nats setup: " + report.error());
    return exit_uncategorised;
  }
  const int printed = print_data(report->text);
  return printed != 0 ? printed : report->is_as_wanted ? exit_all_accepted : exit_uncategorised;
}

}  // namespace

CommandSpec nats_command() {
  const auto flags = std::make_shared<NatsFlags>();
  CommandSpec setup{
      .name = "setup",
      .summary = "Create streams, bucket and consumer, and say what each setting does"};
  setup.flags = {
      {"--url", "URL", "Servers, with commas between them [url of [nats]]", &flags->url},
      {"-c,--config", "FILE", "Read this file instead of the usual ones", &flags->config_path},
      {"--replicas", "N", "Servers that keep each stream [1]", &flags->replicas},
      {"--ack-wait", "DURATION", "Until the job of a silent node goes to another [30s]",
       &flags->ack_wait}};
  setup.run = [flags] { return run_nats_setup(*flags); };
  CommandSpec command{.name = "nats", .summary = "NATS JetStream, for serve on several machines"};
  command.examples = nats_examples;
  command.subcommands = {std::move(setup)};
  return command;
}

}  // namespace ringpost::cli
