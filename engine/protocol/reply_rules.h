// What a refusal is about, and what is done about it: rules of the user, rules of the provider's
// preset, then the general ones. Pure: a reply in, a ruling out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/smtp/smtp_reply.h"
#include <ringpost/outcome.h>

namespace ringpost::protocol {

// Whose matter it is.
enum class RuleScope : std::uint8_t {
  recipient,
  message,
  sender,   // of the envelope
  session,  // this connection
  login,    // one user name or mailbox
  account,  // the provider's: all logins, all connections
  machine,  // this machine's address
};
inline constexpr std::size_t rule_scope_count = 7;

// There is none that accepts: a ruling is about a refusal, and leaves it one.
enum class RuleAction : std::uint8_t {
  reject,             // final for what the scope says
  retry,              // later; an attempt
  split,              // those refused again, fewer at a time
  reconnect,          // again, in another session
  fewer_connections,  // again, over no more connections than work now
  slow_down,          // again, at a lower rate
  pause,              // the scope rests until its quota has moved
  stop,               // the scope is closed until somebody acts
  renew_token,        // again, with an OAuth token that is read anew
  mistake,            // ours or the configuration's: again, in a simpler way
};
inline constexpr std::size_t rule_action_count = 10;

// As files write them: "account", "slow-down".
[[nodiscard]] std::string_view name_of(RuleScope scope);
[[nodiscard]] std::string_view name_of(RuleAction action);
[[nodiscard]] std::optional<RuleScope> rule_scope_named(Bytes name);
[[nodiscard]] std::optional<RuleAction> rule_action_named(Bytes name);

// It fits a refusal when all that it says fits.
struct ReplyRule {
  std::uint16_t code = 0;      // 0: any 4xx and 5xx
  std::string enhanced;        // "5.7.1"; "4.7.5*" begins so; empty: any, and replies without one
  std::string text;            // stands in the words, whatever their case; `*` stands for anything
  std::optional<Stage> stage;  // nothing: any

  RuleScope scope = RuleScope::message;
  RuleAction action = RuleAction::retry;
  Duration window{0};       // of a pause: the quota's window, which moves; 0: not known
  std::uint32_t times = 1;  // the action is taken when so many in a row say it; before, a retry
  std::string hint;         // for people, behind the server's words
  std::string origin;       // where it was written: "preset ses, line 24"

  bool operator==(const ReplyRule&) const = default;
};

struct Ruling {
  RuleScope scope = RuleScope::message;
  RuleAction action = RuleAction::retry;
  // The rule that said so, which its ReplyRules own; nullptr: a general one.
  const ReplyRule* rule = nullptr;
  // False: it is said for the first times, and the action is not taken before it was said `times`.
  bool is_due = true;

  [[nodiscard]] Duration window() const { return rule != nullptr ? rule->window : Duration(0); }
  bool operator==(const Ruling&) const = default;
};

// Immutable, so that sessions of many threads may ask one of them.
class ReplyRules {
 public:
  // The general rules alone.
  ReplyRules() = default;
  ReplyRules(std::vector<ReplyRule> of_user, std::vector<ReplyRule> of_preset);

  // The first rule that fits. `stage`: of the command that it answers. Precondition: it is a 4xx or
  // a 5xx; nobody asks about anything else, so that rules cost nothing while all goes well.
  [[nodiscard]] Ruling rule(Stage stage, const codec::Reply& reply) const;

  // The user's, then the preset's.
  [[nodiscard]] std::span<const ReplyRule> rules() const { return rules_; }

 private:
  std::vector<ReplyRule> rules_;
  std::vector<std::string> words_;  // the text of each, in lower case
};

// Whose refusals in a row are those of one message, whatever others hear; else all count together.
[[nodiscard]] constexpr bool is_of_message(RuleScope scope) {
  return scope == RuleScope::recipient || scope == RuleScope::message || scope == RuleScope::sender;
}

// Whether nothing goes on behind it, before messages.
[[nodiscard]] constexpr bool closes(RuleAction action) {
  return action == RuleAction::reject || action == RuleAction::stop ||
         action == RuleAction::renew_token;
}

// So often in a row a reply may say that a mistake was made, until that is taken for one that a
// simpler way does not mend.
inline constexpr std::uint32_t mistakes_max = 3;

// Whether this rule alone fits.
[[nodiscard]] bool fits(const ReplyRule& rule, Stage stage, const codec::Reply& reply);

}  // namespace ringpost::protocol
