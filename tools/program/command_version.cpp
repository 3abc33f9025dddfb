// `ringpost version`: what it says is collected in program_version.cpp.
#include <memory>

#include "tools/process/program_version.h"
#include "tools/process/standard_output.h"
#include "tools/program/commands.h"

namespace ringpost::cli {

CommandSpec version_command() {
  const auto json = std::make_shared<bool>(false);
  CommandSpec command{.name = "version",
                      .summary = "Versions of ringpost, its libraries and the kernel"};
  command.flags = {{"--json", "", "One JSON object", json.get()}};
  command.examples = "Examples:\n  ringpost version\n  ringpost version --json | jq -r .wolfssl";
  command.run = [json] {
    const ProgramVersion version = collect_program_version();
    return print_data(*json ? version_json(version) : version_text(version));
  };
  return command;
}

}  // namespace ringpost::cli
