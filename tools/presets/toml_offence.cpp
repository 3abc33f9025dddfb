// All offences of a file in its own order, so that an editor can walk through them.
#include "tools/presets/toml_offence.h"

#include <algorithm>

#include <fmt/format.h>

namespace ringpost::cli {

UsageError usage_error_of(std::vector<TomlOffence> offences, const std::string& path) {
  std::stable_sort(
      offences.begin(), offences.end(),
      [](const TomlOffence& a, const TomlOffence& b) { return a.position < b.position; });
  std::string message;
  for (const TomlOffence& offence : offences) {
    message += fmt::format("{}{}:{}:{}: {}", message.empty() ? "" : "\n", path,
                           offence.position.line, offence.position.column, offence.text);
  }
  return UsageError{std::move(message)};
}

}  // namespace ringpost::cli
