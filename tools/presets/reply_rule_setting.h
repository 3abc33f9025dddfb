// One [[reply]] table of a file, of a preset's or a user's, as a rule; and a rule as such a table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "engine/protocol/reply_rules.h"
#include "tools/presets/toml_offence.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// All that is wrong with it, or the rule. `source` begins its origin: "preset ses" makes
// "preset ses, line 24".
[[nodiscard]] Result<protocol::ReplyRule, std::vector<TomlOffence>> read_reply_rule(
    const toml::table& table, std::string_view source);

// The lines of TOML that make this rule under `heading` ("[[endpoint.news.reply]]").
[[nodiscard]] std::string reply_rule_text(const protocol::ReplyRule& rule,
                                          std::string_view heading);

// "[[endpoint.news.reply]]", with quotes where the name needs them.
[[nodiscard]] std::string rule_heading(Bytes endpoint);

// Whether an action has a meaning for this scope; a clause when it has none.
[[nodiscard]] Result<void, std::string> check_action(protocol::RuleScope scope,
                                                     protocol::RuleAction action);

}  // namespace ringpost::cli
