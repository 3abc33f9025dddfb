// The look of --help: flags in groups, one line each where that fits, examples at the foot.
#pragma once

#include <string>

#include "tools/program/command_spec.h"

namespace ringpost::cli {

// `path` is the whole name of the command: "ringpost config show".
[[nodiscard]] std::string help_of(const CommandSpec& command, const std::string& path);

}  // namespace ringpost::cli
