// What the configuration comes to, for people.
#pragma once

#include <string>
#include <vector>

#include "tools/process/usage_error.h"
#include "tools/settings/config_file.h"
#include <ringpost/base.h>

namespace ringpost::cli {

struct EffectiveSettings {
  Configuration configuration;
  SettingMap send;  // with the environment on top
};
// `named`: the file of -c; empty: that of RINGPOST_CONFIG, or the usual ones.
[[nodiscard]] Result<EffectiveSettings, UsageError> load_effective_settings(
    const std::string& named);

// All settings as TOML with a comment at each that says where it comes from. What may be a secret
// is not shown, but where it would be read from. `named` is the file of -c, or empty.
[[nodiscard]] Result<std::string, UsageError> effective_configuration(const std::string& named);

struct ConfigurationCheck {
  std::string text;                   // what was found to be in order
  std::vector<std::string> warnings;  // what may be meant so and is dangerous
};
// Everything that can be wrong without a connection, in endpoints that nobody chose too. Reads no
// secret and runs no command.
[[nodiscard]] Result<ConfigurationCheck, UsageError> check_configuration(const std::string& named);

}  // namespace ringpost::cli
