// The problem: providers say "your quota of the day is used up" with a 550, "your key is wrong"
// with a 435 and "too many connections" in the place of a greeting; taken by class, the first fails
// a campaign, the second is tried for ever and the third closes the endpoint.
//
// The idea: a list in which the first rule that fits decides, the user's before the preset's before
// those that hold anywhere. A rule is data, and none can make a success of a refusal. Limits: words
// are compared as octets, and the case of ASCII alone is of no account.
#include "engine/protocol/reply_rules.h"

#include <algorithm>
#include <array>
#include <utility>

#include "codec/text/ascii.h"
#include "codec/text/wildcard.h"
#include "engine/protocol/general_rules.h"

namespace ringpost::protocol {

namespace {

constexpr std::array<std::string_view, rule_scope_count> scope_names = {
    "recipient", "message", "sender", "session", "login", "account", "machine"};
constexpr std::array<std::string_view, rule_action_count> action_names = {
    "reject",    "retry", "split", "reconnect",   "fewer-connections",
    "slow-down", "pause", "stop",  "renew-token", "mistake"};

template <typename Word, std::size_t count>
std::optional<Word> word_named(Bytes name, const std::array<std::string_view, count>& names) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    return std::nullopt;
  }
  return static_cast<Word>(found - names.begin());
}

std::string in_lower_case(Bytes text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), codec::lower);
  return lower;
}

// In lower case, its lines joined by spaces.
std::string words_of(const codec::Reply& reply) {
  std::string words = in_lower_case(reply.text);
  std::replace(words.begin(), words.end(), '\n', ' ');
  return words;
}

bool fits_status(Bytes pattern, const EnhancedStatus& status) {
  if (pattern.empty()) {
    return true;
  }
  return status.present() && codec::fits_wildcard(std::to_string(status.status_class) + "." +
                                                      std::to_string(status.subject) + "." +
                                                      std::to_string(status.detail),
                                                  pattern);
}

// All but the words, which take the longest.
bool fits_numbers(const ReplyRule& rule, Stage stage, const codec::Reply& reply) {
  return (rule.code == 0 || rule.code == reply.code) && (!rule.stage || *rule.stage == stage) &&
         fits_status(rule.enhanced, reply.enhanced);
}

}  // namespace

std::string_view name_of(RuleScope scope) { return scope_names[static_cast<std::size_t>(scope)]; }
std::string_view name_of(RuleAction action) {
  return action_names[static_cast<std::size_t>(action)];
}
std::optional<RuleScope> rule_scope_named(Bytes name) {
  return word_named<RuleScope>(name, scope_names);
}
std::optional<RuleAction> rule_action_named(Bytes name) {
  return word_named<RuleAction>(name, action_names);
}

ReplyRules::ReplyRules(std::vector<ReplyRule> of_user, std::vector<ReplyRule> of_preset)
    : rules_(std::move(of_user)) {
  std::move(of_preset.begin(), of_preset.end(), std::back_inserter(rules_));
  words_.reserve(rules_.size());
  for (const ReplyRule& rule : rules_) {
    words_.push_back(in_lower_case(rule.text));
  }
}

Ruling ReplyRules::rule(Stage stage, const codec::Reply& reply) const {
  std::string words;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const ReplyRule& rule = rules_[i];
    if (!fits_numbers(rule, stage, reply)) {
      continue;
    }
    if (words.empty()) {
      words = words_of(reply);
    }
    if (codec::contains_wildcard(words, words_[i])) {
      return {rule.scope, rule.action, &rule, rule.times <= 1};
    }
  }
  return general_ruling(stage, reply);
}

bool fits(const ReplyRule& rule, Stage stage, const codec::Reply& reply) {
  return fits_numbers(rule, stage, reply) &&
         codec::contains_wildcard(words_of(reply), in_lower_case(rule.text));
}

}  // namespace ringpost::protocol
