// What is wrong in a TOML file, and where: all of it is told at once.
#pragma once

#include <string>
#include <vector>

#include <toml++/toml.h>

#include "tools/process/usage_error.h"

namespace ringpost::cli {

struct TomlOffence {
  toml::source_position position;
  std::string text;
};

// One line for each, in the order of the file: FILE:LINE:COLUMN: what is wrong.
[[nodiscard]] UsageError usage_error_of(std::vector<TomlOffence> offences, const std::string& path);

}  // namespace ringpost::cli
