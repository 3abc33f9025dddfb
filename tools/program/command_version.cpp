#include <memory>

#include <CLI/CLI.hpp>

#include "tools/process/program_version.h"
#include "tools/process/standard_output.h"
#include "tools/program/commands.h"

namespace ringpost::cli {

void add_version_command(CLI::App& app, CommandResult& result) {
  CLI::App* const command =
      app.add_subcommand("version", "Versions of ringpost, its libraries and the kernel");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "One JSON object");
  command->footer("Examples:\n  ringpost version\n  ringpost version --json | jq -r .wolfssl");
  command->callback([json, &result] {
    const ProgramVersion version = collect_program_version();
    result.exit_code = print_data(*json ? version_json(version) : version_text(version));
  });
}

}  // namespace ringpost::cli
