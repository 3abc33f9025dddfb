// The whole command line: which command runs, and what is said when none can.
#pragma once

namespace ringpost::cli {

// Runs the command of these arguments and returns its exit code. Throws nothing.
[[nodiscard]] int run_command_line(int argument_count, const char* const* arguments) noexcept;

}  // namespace ringpost::cli
