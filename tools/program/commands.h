// The commands of ringpost, one file each: command_NAME.cpp. A new one is that file, its two lines
// here and one in CMakeLists.txt.
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

// In the order in which the help lists them.
inline constexpr void (*command_registry[])(CLI::App& app, CommandResult& result) = {
    add_send_command,       add_validate_command, add_render_command,  add_probe_command,
    add_sink_command,       add_demo_command,     add_journal_command, add_config_command,
    add_completion_command, add_version_command};

}  // namespace ringpost::cli
