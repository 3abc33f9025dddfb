// What was found out about an endpoint by sending, as lines for ringpost.toml.
#pragma once

#include <string>

#include "tools/process/usage_error.h"
#include <ringpost/base.h>

namespace ringpost::cli {

struct LearntQuestion {
  std::string endpoint;  // as behind -e
  std::string state;     // the folder of counts; empty: as settings say, or the usual one
  std::string config;    // the file to read in the place of the usual ones
};

// A section of TOML, or a comment where nothing was found out yet.
[[nodiscard]] Result<std::string, UsageError> learnt_report(const LearntQuestion& question);

}  // namespace ringpost::cli
