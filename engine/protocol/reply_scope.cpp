// The problem: sessions learn what a server takes from what it refuses, and only from that.
//
// The idea: the general rules say what a refusal is about; here stand the words for what a session
// can do about it, and what it asks about a reply besides. Limits: English words, as servers say
// them.
#include "engine/protocol/reply_scope.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "codec/text/ascii.h"
#include "engine/protocol/general_rules.h"
#include <ringpost/limits.h>

namespace ringpost::protocol {

namespace {

std::string lower_case(Bytes text) {
  std::string lower(text.substr(0, limits::outcome_text_bytes_max));
  std::transform(lower.begin(), lower.end(), lower.begin(), codec::lower);
  return lower;
}

template <std::size_t count>
bool has_any(std::string_view text, const std::array<std::string_view, count>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

}  // namespace

ReplyScope scope_of(const Ruling& ruling) {
  const bool is_of_sender = ruling.scope == RuleScope::sender;
  if (!ruling.is_due || is_of_sender) {
    return ReplyScope::message;
  }
  switch (ruling.action) {
    case RuleAction::stop:
    case RuleAction::renew_token:
      return ReplyScope::login;
    case RuleAction::mistake:
      return ReplyScope::way;
    case RuleAction::reconnect:
    case RuleAction::fewer_connections:
      return ReplyScope::session;
    case RuleAction::slow_down:
      return ruling.scope == RuleScope::session ? ReplyScope::session : ReplyScope::rate;
    case RuleAction::pause:
      return ReplyScope::quota;
    case RuleAction::split:
      return ReplyScope::recipients;
    case RuleAction::reject:
    case RuleAction::retry:
      return ReplyScope::message;
  }
  RP_ASSERT(false);
}

ReplyScope scope_of(Stage stage, const codec::Reply& reply) {
  return scope_of(general_ruling(stage, reply));
}

bool may_be_full_session(Stage stage, const codec::Reply& reply) {
  if (!reply.transient() || stage == Stage::mail) {
    return reply.transient();
  }
  const std::string text = lower_case(reply.text);
  const bool of_recipient = has_any(
      std::string_view(text), std::array<std::string_view, 3>{"mailbox", "recipient", "user "});
  return scope_of(stage, reply) == ReplyScope::message && reply.enhanced.subject != 2 &&
         counts_messages(text) && !of_recipient;
}

bool is_about_command(const codec::Reply& reply) {
  const bool by_code = reply.code >= 500 && reply.code <= 504;
  return by_code || (reply.permanent() && says_pipelining(reply.text)) || reply.code == 421 ||
         (reply.permanent() && reply.enhanced.present() && reply.enhanced.subject == 5);
}

bool says_pipelining(Bytes text) {
  return has_any(lower_case(text), std::array<std::string_view, 2>{"synchroni", "pipelin"});
}

bool says_too_many_errors(Bytes text) {
  const std::string lower = lower_case(text);
  return lower.find("too many") != std::string::npos &&
         has_any(std::string_view(lower),
                 std::array<std::string_view, 7>{"error", "invalid", "bad", "unknown", "nonmail",
                                                 "unrecognized", "unrecognised"});
}

bool says_too_many_connections(Bytes text) {
  const std::string lower = lower_case(text);
  return !counts_messages(lower) &&
         has_any(std::string_view(lower),
                 std::array<std::string_view, 9>{
                     "too many connections", "too many concurrent", "too many simultaneous",
                     "too many sessions", "too many open", "connection limit",
                     "concurrent connection", "simultaneous connection", "number of connections"});
}

std::uint32_t number_below(Bytes text, std::uint32_t limit) {
  std::uint64_t number = 0;
  bool in_number = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool digit = i < text.size() && codec::is_digit(text[i]);
    if (digit) {
      number = std::min<std::uint64_t>(
          (in_number ? number * 10 : 0) + static_cast<std::uint64_t>(text[i] - '0'), UINT32_MAX);
    } else if (in_number && number >= 1 && number < limit) {
      return static_cast<std::uint32_t>(number);
    }
    in_number = digit;
  }
  return 0;
}

}  // namespace ringpost::protocol
