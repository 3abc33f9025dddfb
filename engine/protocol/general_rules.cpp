// The problem: `452 4.5.3 Too many recipients: Too many messages sent`, `554 Transaction failed:
// Recipient count exceeds 50` and `550 5.4.5 Daily user sending limit exceeded` have codes that say
// "this message, never"; taken at their word they cost recipients who would have been taken.
//
// The idea: codes first, where an RFC gives them one meaning; then pairs of words which stand
// together in such replies and in no reply about a mailbox. Limits: English words, as servers say
// them; the rules of single providers do not belong here.
#include "engine/protocol/general_rules.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <string>

#include "codec/text/ascii.h"
#include <ringpost/limits.h>

namespace ringpost::protocol {

namespace {

using WordList = std::span<const std::string_view>;

constexpr std::array<std::string_view, 8> login_words = {
    "authentication required", "authentication is required", "must authenticate",
    "must be authenticated",   "client not authenticated",   "client was not authenticated",
    "requires authentication", "authenticate first"};
// They authenticate a sender's domain, which is another matter.
constexpr std::array<std::string_view, 3> domain_words = {"spf", "dkim", "dmarc"};

constexpr std::array<std::string_view, 15> quota_words = {
    "sending limit", "sending quota", "send limit",       "send quota",        "daily limit",
    "daily quota",   "hourly limit",  "hourly quota",     "monthly limit",     "monthly quota",
    "message quota", "daily message", "messages per day", "messages per hour", "user sending"};
constexpr std::array<std::string_view, 7> excess_words = {"exceed",  "reached", "too many", "over",
                                                          "used up", "no more", "maximum"};

// Of one who is sent too much by everybody together.
constexpr std::array<std::string_view, 3> mailbox_words = {"mailbox", "recipient", "the user"};

// Of a server that counts how much comes in a while, not of an account that has used up its share.
constexpr std::array<std::string_view, 14> speed_words = {
    "throttl",      "rate limit", "rate exceed", "sending rate",     "submission rate",
    "message rate", "too fast",   "too quickly", "slow down",        "too much mail",
    "per second",   "rate-limit", "ratelimit",   "too many requests"};

constexpr std::array<std::string_view, 4> message_words = {"messages", "message limit",
                                                           "transactions", "mails"};
constexpr std::array<std::string_view, 4> message_excess_words = {"too many", "limit", "maximum",
                                                                  "exceed"};
constexpr std::array<std::string_view, 3> session_words = {"session", "connection",
                                                           "messages sent"};

constexpr std::array<std::string_view, 2> recipient_words = {"recipient", "rcpt"};
constexpr std::array<std::string_view, 5> count_words = {"too many", "count", "number of",
                                                         "maximum", "limit"};

// One bit for each stage.
constexpr unsigned stages_of(std::initializer_list<Stage> stages) {
  unsigned set = 0;
  for (const Stage stage : stages) {
    set |= 1u << static_cast<unsigned>(stage);
  }
  return set;
}
constexpr unsigned any_stage = ~0u;
constexpr unsigned at_envelope = stages_of({Stage::mail, Stage::rcpt, Stage::data});
constexpr unsigned behind_mail = stages_of({Stage::rcpt, Stage::data, Stage::eod});
constexpr unsigned at_message = at_envelope | stages_of({Stage::eod});
constexpr unsigned at_rcpt = stages_of({Stage::rcpt});
constexpr unsigned at_auth = stages_of({Stage::auth});
constexpr unsigned in_opening =
    stages_of({Stage::greeting, Stage::ehlo, Stage::starttls, Stage::auth});

enum class StatusIs : std::uint8_t {
  any,
  not_of_mailbox,      // no X.2.X: a mailbox that is over its quota is its recipient's
  of_recipient_count,  // X.5.3 (RFC 3463)
  absent,
};

bool holds(StatusIs condition, const EnhancedStatus& status) {
  switch (condition) {
    case StatusIs::any:
      return true;
    case StatusIs::not_of_mailbox:
      return status.subject != 2;
    case StatusIs::of_recipient_count:
      return status.present() && status.subject == 5 && status.detail == 3;
    case StatusIs::absent:
      return !status.present();
  }
  RP_ASSERT(false);
}

struct GeneralRule {
  std::array<std::uint16_t, 2> codes{};  // one of them; none: any
  std::uint16_t code_class = 0;          // 4, 5, or 0: both
  unsigned stages = any_stage;
  StatusIs enhanced = StatusIs::any;
  std::array<WordList, 3> words{};  // one of each group that is not empty stands in the text
  WordList no_words{};              // and none of these does
  RuleScope scope = RuleScope::message;
  RuleAction action = RuleAction::retry;
};

// In order; the last ones leave nothing out.
constexpr std::array<GeneralRule, 16> general_rules = {{
    // RFC 4954 6.
    {.codes = {530, 535}, .scope = RuleScope::login, .action = RuleAction::stop},
    {.stages = at_envelope,
     .words = {login_words},
     .no_words = domain_words,
     .scope = RuleScope::login,
     .action = RuleAction::stop},
    {.words = {message_words, message_excess_words, session_words},
     .scope = RuleScope::session,
     .action = RuleAction::reconnect},
    // 5.4.5 is "routing loop" by its number and "daily sending limit" at Gmail: only by its words.
    {.enhanced = StatusIs::not_of_mailbox,
     .words = {quota_words, excess_words},
     .scope = RuleScope::account,
     .action = RuleAction::pause},
    {.code_class = 4,
     .stages = at_message,
     .enhanced = StatusIs::not_of_mailbox,
     .words = {speed_words},
     .no_words = mailbox_words,
     .scope = RuleScope::account,
     .action = RuleAction::slow_down},
    // RFC 5321 4.5.3.1.10.
    {.stages = behind_mail,
     .enhanced = StatusIs::of_recipient_count,
     .scope = RuleScope::recipient,
     .action = RuleAction::split},
    {.stages = behind_mail,
     .words = {recipient_words, count_words, excess_words},
     .scope = RuleScope::recipient,
     .action = RuleAction::split},
    // Old servers say 552 where 452 is meant. Of a message that is too large 552 is right, so
    // without the words only RCPT's counts.
    {.codes = {452, 552},
     .stages = at_rcpt,
     .enhanced = StatusIs::absent,
     .scope = RuleScope::recipient,
     .action = RuleAction::split},
    // Nothing was submitted yet: no message is to blame.
    {.code_class = 4,
     .stages = in_opening,
     .scope = RuleScope::session,
     .action = RuleAction::reconnect},
    {.stages = at_auth, .scope = RuleScope::login, .action = RuleAction::stop},
    {.stages = in_opening, .scope = RuleScope::account, .action = RuleAction::stop},
    {.code_class = 4,
     .stages = at_rcpt,
     .scope = RuleScope::recipient,
     .action = RuleAction::retry},
    {.stages = at_rcpt, .scope = RuleScope::recipient, .action = RuleAction::reject},
    {.code_class = 4, .scope = RuleScope::message, .action = RuleAction::retry},
    {.code_class = 5, .scope = RuleScope::message, .action = RuleAction::reject},
    // No refusal, about which nobody asks.
    {.scope = RuleScope::message, .action = RuleAction::retry},
}};

bool has_any(std::string_view text, WordList words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

bool has_code(const GeneralRule& rule, std::uint16_t code) {
  return rule.codes[0] == 0 ||
         std::find(rule.codes.begin(), rule.codes.end(), code) != rule.codes.end();
}

bool holds(const GeneralRule& rule, Stage stage, const codec::Reply& reply, std::string_view text) {
  const bool numbers = has_code(rule, reply.code) &&
                       (rule.code_class == 0 || rule.code_class == reply.code / 100) &&
                       (rule.stages >> static_cast<unsigned>(stage) & 1u) != 0 &&
                       holds(rule.enhanced, reply.enhanced);
  return numbers &&
         std::all_of(rule.words.begin(), rule.words.end(),
                     [&](WordList group) { return group.empty() || has_any(text, group); }) &&
         !has_any(text, rule.no_words);
}

}  // namespace

// Words about limits stand at the front of a reply: what is kept for outcomes is looked at.
Ruling general_ruling(Stage stage, const codec::Reply& reply) {
  std::string text(reply.text.substr(0, limits::outcome_text_bytes_max));
  std::transform(text.begin(), text.end(), text.begin(), codec::lower);
  const auto found =
      std::find_if(general_rules.begin(), general_rules.end(),
                   [&](const GeneralRule& rule) { return holds(rule, stage, reply, text); });
  RP_ASSERT(found != general_rules.end());
  return {found->scope, found->action, nullptr};
}

bool counts_messages(std::string_view text) {
  return has_any(text, message_words) && has_any(text, message_excess_words);
}

}  // namespace ringpost::protocol
