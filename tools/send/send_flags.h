// The flags of `ringpost send`, and the settings that come out when environment and files are laid
// below them: flags > environment > ./ringpost.toml > the user's ringpost.toml > /etc/ringpost.
#pragma once

#include <memory>

#include "tools/process/usage_error.h"
#include "tools/program/command_spec.h"
#include "tools/settings/settings.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// Cheap to copy, so that a command's run() can own one; copies share what was parsed.
class SendFlags {
 public:
  SendFlags();

  // Adds the flags, the FILE arguments and the examples of the help. What is parsed goes into this
  // one and its copies.
  void describe(CommandSpec& command) const;

  // To be called when the command runs, once, and before any thread is started: it reads the
  // environment and takes the password variables out of it. Reads files, and runs password_command.
  [[nodiscard]] Result<SendSettings, UsageError> settings() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ringpost::cli
