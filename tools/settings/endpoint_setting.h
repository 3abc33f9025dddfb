// From settings to an endpoint: the one way there is, whoever wrote them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/settings/key_table.h"
#include "tools/settings/setting_value.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// Letters, digits, dots, hyphens and underscores, the first a letter or a digit; a clause when it
// is not.
[[nodiscard]] std::optional<std::string> endpoint_name_offence(Bytes name);

// "FILE:LINE:COLUMN: endpoint.NAME.KEY" of a setting, or the endpoint's name when there is no such
// setting: what errors begin with.
[[nodiscard]] std::string place_of_setting(const std::string& name, const SettingMap& settings,
                                           std::string_view key);

// Puts what was said for all endpoints over what this one says itself: a flag or a variable always,
// [send] only where the endpoint says nothing.
void lay_send_wide(SettingMap& settings, const SettingMap& send_settings);

// The endpoint of these settings, without its password. An error names the origin of the setting
// that is to blame, or the endpoint when one is missing. Precondition: each key is known and each
// value was applied once without an error.
[[nodiscard]] Result<EndpointDraft, std::string> make_endpoint(const std::string& name,
                                                               const SettingMap& settings);

}  // namespace ringpost::cli
