// `ringpost version`: what it says is collected in program_version.cpp.
#include <memory>

#include "tools/process/log.h"
#include "tools/process/program_version.h"
#include "tools/process/standard_output.h"
#include "tools/program/commands.h"
#include "tools/settings/send_setting.h"

namespace ringpost::cli {

namespace {

int print_version(bool json) {
  const auto choice = io_of_environment();
  if (!choice) {
    print_error(choice.error());
    return exit_usage;
  }
  const auto version = collect_program_version(*choice);
  if (!version) {
    print_error(version.error());
    return exit_usage;
  }
  return print_data(json ? version_json(*version) : version_text(*version));
}

}  // namespace

CommandSpec version_command() {
  const auto json = std::make_shared<bool>(false);
  CommandSpec command{.name = "version",
                      .summary = "Versions of ringpost, its libraries and the kernel"};
  command.flags = {{"--json", "", "One JSON object", json.get()}};
  command.examples = "Examples:\n  ringpost version\n  ringpost version --json | jq -r .wolfssl";
  command.run = [json] { return print_version(*json); };
  return command;
}

}  // namespace ringpost::cli
