// The presets that are compiled in: by name, by host, and as a list for people.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/presets/embedded.h"
#include "tools/presets/preset_file.h"
#include "tools/process/usage_error.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// What `preset` says in the place of a name to have none, whatever the host.
inline constexpr std::string_view no_preset = "none";

[[nodiscard]] bool is_preset(Bytes name);
// All of them, sorted.
[[nodiscard]] std::vector<std::string_view> preset_names();

// The file as it was written. An error names the presets that there are, and the nearest.
[[nodiscard]] Result<std::string_view, UsageError> preset_text(Bytes name);

// The file of this name, read, with what it takes from another by `same_as`.
[[nodiscard]] Result<Preset, UsageError> load_preset(Bytes name);

// The name of the preset that this host belongs to; case does not count. Nothing: to none.
[[nodiscard]] std::optional<std::string> preset_of_host(Bytes host);

// A line for each: its name, the provider's, the host, the best port, what is limited.
[[nodiscard]] Result<std::string, UsageError> preset_list_text();

}  // namespace ringpost::cli
