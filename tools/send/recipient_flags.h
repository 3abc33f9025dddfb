// The flags that say what jobs are made of, for commands that look at jobs and send none.
#pragma once

#include <string>
#include <vector>

#include "tools/program/command_spec.h"
#include "tools/settings/settings.h"
#include <ringpost/base.h>

namespace ringpost::cli {

struct RecipientFlags {
  std::vector<std::string> files;  // of jobs
  std::string template_path;
  std::vector<std::string> recipients;
  std::vector<std::string> shared;
  std::string missing;
  std::string delimiter;

  // --template and those that go with it.
  void describe(CommandSpec& command);
  // As `send` would have them; what only it has is as it is without flags.
  [[nodiscard]] Result<SendSettings, std::string> settings() const;
};

}  // namespace ringpost::cli
