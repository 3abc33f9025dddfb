// One command of the user's, run by the shell for the first line that it prints.
#pragma once

#include <string>

#include <ringpost/base.h>

namespace ringpost::cli {

struct ShellOptions {
  Duration timeout = std::chrono::seconds(30);
  std::size_t line_bytes_max = 8192;
};

// Runs `command` with /bin/sh, without input, and gives all of its output, of which there may be
// `line_bytes_max`. Errors are those of first_line_of_command().
[[nodiscard]] Result<std::string, std::string> output_of_command(const std::string& command,
                                                                 const ShellOptions& options);

// Runs `command` with /bin/sh, without input, and gives the first line of its output without the
// line end. Errors are clauses, with what the command wrote to its standard error: it ended with a
// status other than 0, was killed, took too long (it is killed then), printed nothing or too long a
// line.
[[nodiscard]] Result<std::string, std::string> first_line_of_command(const std::string& command,
                                                                     const ShellOptions& options);

}  // namespace ringpost::cli
