// The flags of `ringpost send`, and the settings that come out when environment and files are laid
// below them: flags > environment > ./ringpost.toml > the user's ringpost.toml > /etc/ringpost.
#pragma once

#include <memory>

#include "tools/process/usage_error.h"
#include "tools/settings/settings.h"
#include <ringpost/base.h>

namespace CLI {
class App;
}  // namespace CLI

namespace ringpost::cli {

// Cheap to copy, so that a command's callback can own one; copies share what was parsed.
class SendFlags {
 public:
  SendFlags();

  // Registers the options, the FILE arguments and the examples of the help. To be called once, and
  // before the app parses.
  void add_to(CLI::App& subcommand);

  // To be called in the subcommand's callback, once, and before any thread is started: it reads the
  // environment and takes the password variables out of it. Reads files, and runs password_command.
  [[nodiscard]] Result<SendSettings, UsageError> settings() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ringpost::cli
