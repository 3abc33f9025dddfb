// `ringpost config show`, `config check` and `config schema`.
#include <memory>
#include <string>

#include "tools/process/log.h"
#include "tools/process/standard_output.h"
#include "tools/program/commands.h"
#include "tools/settings/config_report.h"
#include "tools/settings/config_schema.h"

namespace ringpost::cli {

namespace {

constexpr const char* config_examples =
    R"(The files, each stronger than the one before: /etc/ringpost/ringpost.toml,
$XDG_CONFIG_HOME/ringpost/ringpost.toml (or below ~/.config), ./ringpost.toml.
RINGPOST_ variables are stronger than files, and flags of `ringpost send` than both.

Examples:
  ringpost config check && ringpost config show
  ringpost config show -c production.toml)";

int run_show(const std::string& path) {
  const auto text = effective_configuration(path);
  if (!text) {
    print_error(text.error().message);
    return exit_usage;
  }
  return print_data(*text);
}

// The same whatever the files say.
int run_schema(const std::string& /*path*/) { return print_data(configuration_schema()); }

int run_check(const std::string& path) {
  const auto checked = check_configuration(path);
  if (!checked) {
    print_error(checked.error().message);
    return exit_usage;
  }
  for (const std::string& warning : checked->warnings) {
    print_error("warning: " + warning);
  }
  return print_data(checked->text);
}

}  // namespace

CommandSpec config_command() {
  struct Action {
    const char* name;
    const char* summary;
    int (*run)(const std::string& path);
  };
  constexpr Action actions[] = {
      {"show", "Print every setting and where it comes from; secrets are left out", run_show},
      {"check", "Check files and variables: FILE:LINE:COLUMN of each mistake, exit code 2",
       run_check},
      {"schema", "Print a JSON schema of the files, for editors", run_schema},
  };
  CommandSpec command{.name = "config", .summary = "The effective configuration"};
  command.examples = config_examples;
  for (const Action& action : actions) {
    const auto path = std::make_shared<std::string>();
    CommandSpec& subcommand = command.subcommands.emplace_back();
    subcommand.name = action.name;
    subcommand.summary = action.summary;
    subcommand.flags = {
        {"-c,--config", "FILE", "Read this file instead of the usual ones", path.get()}};
    subcommand.run = [path, run = action.run] { return run(*path); };
  }
  return command;
}

}  // namespace ringpost::cli
