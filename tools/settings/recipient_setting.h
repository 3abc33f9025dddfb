// The settings of `ringpost send` that say whom a template goes to, and who is left out.
#pragma once

#include <span>
#include <string>

#include "tools/settings/send_setting.h"
#include <ringpost/base.h>

namespace ringpost::cli {

inline constexpr std::string_view recipient_group = "Templates and recipients";

// Rows of the table of send_setting.
[[nodiscard]] std::span<const SendKey> recipient_keys();

// What they say together, and beside which job files; an error is a sentence.
[[nodiscard]] Result<void, std::string> check_recipient_settings(const SendSettings& settings);

}  // namespace ringpost::cli
