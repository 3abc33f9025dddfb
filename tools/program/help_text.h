// The look of --help: flags in groups, one line each where that fits, examples at the foot.
#pragma once

#include <cstddef>
#include <string>

#include "tools/program/command_spec.h"

namespace ringpost::cli {

// `path` is the whole name of the command: "ringpost config show". Examples keep their lines.
[[nodiscard]] std::string help_of(const CommandSpec& command, const std::string& path,
                                  std::size_t columns = 100);

}  // namespace ringpost::cli
