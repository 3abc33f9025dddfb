// What replies that say the same have in common.
#pragma once

#include <string>
#include <string_view>

namespace ringpost::run {

// Without what differs in every reply: addresses, ids and counters. For keys alone: what is shown
// to people is a real reply. An id of letters alone stays.
[[nodiscard]] std::string masked_words(std::string_view text);

}  // namespace ringpost::run
