// The commands of ringpost, one file each: command_NAME.cpp.
#pragma once

#include "tools/process/exit_code.h"

namespace CLI {
class App;
}  // namespace CLI

namespace ringpost::cli {

// What the command that ran leaves for main. Outlives the app.
struct CommandResult {
  int exit_code = exit_all_accepted;
};

// Each registers one subcommand, whose callback does the work, prints its own errors to stderr (as
// "ringpost: ...") and sets the exit code.
void add_send_command(CLI::App& app, CommandResult& result);
void add_validate_command(CLI::App& app, CommandResult& result);
void add_render_command(CLI::App& app, CommandResult& result);
void add_probe_command(CLI::App& app, CommandResult& result);
void add_sink_command(CLI::App& app, CommandResult& result);
void add_demo_command(CLI::App& app, CommandResult& result);
void add_journal_command(CLI::App& app, CommandResult& result);
void add_config_command(CLI::App& app, CommandResult& result);
void add_version_command(CLI::App& app, CommandResult& result);
void add_completion_command(CLI::App& app, CommandResult& result);

}  // namespace ringpost::cli
