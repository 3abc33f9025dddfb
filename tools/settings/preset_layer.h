// The preset of an endpoint: which one it is, what it says below the endpoint's own settings, and
// what it has to tell people.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/presets/preset_file.h"
#include "tools/settings/setting_value.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// What a preset says and nothing in this version obeys.
struct UnheldValue {
  std::string key;
  std::vector<std::string> texts;
  std::string origin;  // "preset ses, line 34"
};

struct LaidPreset {
  Preset preset;
  bool is_picked_by_host = false;
  std::vector<UnheldValue> unheld;
};

using LaidResult = Result<std::optional<LaidPreset>, std::string>;

// Puts the preset that these settings name, or that their host belongs to, or without a host the
// one that is called as the endpoint is, under them: where they say nothing, its plan does, and
// then its [endpoint]. Nothing: there is none, or it was turned off. An error names the setting
// that is to blame. `name`: the endpoint's.
[[nodiscard]] LaidResult lay_preset(const std::string& name, SettingMap& settings);

// What every run with it has to say.
[[nodiscard]] std::vector<std::string> preset_warnings(const std::string& endpoint,
                                                       const LaidPreset& laid);

// Whether the user name has none of the forms that the provider gives to user names.
[[nodiscard]] bool has_odd_username(const LaidPreset& laid, Bytes username);
// What user name and password should be, for whom the server refused; empty: nothing is known.
[[nodiscard]] std::string login_hint(const LaidPreset& laid, Bytes username);

}  // namespace ringpost::cli
