// The commands of ringpost, one file each: command_NAME.cpp. A new one is that file, its two lines
// here and one in CMakeLists.txt.
#pragma once

#include "tools/process/exit_code.h"
#include "tools/program/command_spec.h"

namespace ringpost::cli {

[[nodiscard]] CommandSpec send_command();
[[nodiscard]] CommandSpec validate_command();
[[nodiscard]] CommandSpec render_command();
[[nodiscard]] CommandSpec plan_command();
[[nodiscard]] CommandSpec report_command();
[[nodiscard]] CommandSpec probe_command();
[[nodiscard]] CommandSpec bench_command();
[[nodiscard]] CommandSpec serve_command();
[[nodiscard]] CommandSpec webhook_command();
[[nodiscard]] CommandSpec nats_command();
[[nodiscard]] CommandSpec sink_command();
[[nodiscard]] CommandSpec demo_command();
[[nodiscard]] CommandSpec journal_command();
[[nodiscard]] CommandSpec config_command();
[[nodiscard]] CommandSpec presets_command();
[[nodiscard]] CommandSpec manual_command();
[[nodiscard]] CommandSpec version_command();
[[nodiscard]] CommandSpec completion_command();

// In the order in which the help lists them.
inline constexpr CommandSpec (*command_registry[])() = {
    send_command,       validate_command, render_command,  plan_command,    report_command,
    probe_command,      bench_command,    serve_command,   webhook_command, nats_command,
    sink_command,       demo_command,     journal_command, config_command,  presets_command,
    completion_command, manual_command,   version_command};

// All of them below the program, each with the flags that every command has.
[[nodiscard]] CommandSpec program_spec();

}  // namespace ringpost::cli
