// The rules that hold at any server: what codes mean where an RFC says so, and words that were seen
// at many of them.
#pragma once

#include <string_view>

#include "engine/protocol/reply_rules.h"

namespace ringpost::protocol {

// Always something: what no rule knows is about the recipient or the message, by the class of its
// code. Precondition: it is a 4xx or a 5xx.
[[nodiscard]] Ruling general_ruling(Stage stage, const codec::Reply& reply);

// Whether it speaks of too many messages, of a session or of anything else. `text`: in lower case.
[[nodiscard]] bool counts_messages(std::string_view text);

}  // namespace ringpost::protocol
