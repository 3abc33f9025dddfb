// The problem: `452 4.5.3 Too many recipients: Too many messages sent`, `554 Transaction failed:
// Recipient count exceeds 50` and `550 5.4.5 Daily user sending limit exceeded` have codes that say
// "this message, never"; taken at their word they cost recipients who would have been taken.
//
// The idea: codes first, where an RFC gives them one meaning; then pairs of words which stand
// together in such replies and in no reply about a mailbox. Limits: English words, as servers say
// them; the rules of single providers do not belong here.
#include "engine/protocol/reply_scope.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "codec/text/ascii.h"
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

// SPF, DKIM and DMARC authenticate a sender's domain, which is another matter.
bool says_login(Stage stage, const codec::Reply& reply, std::string_view text) {
  constexpr std::array<std::string_view, 8> words = {
      "authentication required", "authentication is required", "must authenticate",
      "must be authenticated",   "client not authenticated",   "client was not authenticated",
      "requires authentication", "authenticate first"};
  constexpr std::array<std::string_view, 3> of_domains = {"spf", "dkim", "dmarc"};
  const bool in_words = stage != Stage::eod && has_any(text, words) && !has_any(text, of_domains);
  return reply.code == 530 || reply.code == 535 || in_words;
}

bool is_excess(std::string_view text) {
  constexpr std::array<std::string_view, 7> words = {"exceed",  "reached", "too many", "over",
                                                     "used up", "no more", "maximum"};
  return has_any(text, words);
}

// Of an account; a mailbox that is over its quota is its recipient's (X.2.2).
bool says_quota(const codec::Reply& reply, std::string_view text) {
  if (reply.enhanced.subject == 2) {
    return false;
  }
  constexpr std::array<std::string_view, 15> words = {
      "sending limit", "sending quota", "send limit",       "send quota",        "daily limit",
      "daily quota",   "hourly limit",  "hourly quota",     "monthly limit",     "monthly quota",
      "message quota", "daily message", "messages per day", "messages per hour", "user sending"};
  // 5.4.5 is "routing loop" by its number and "daily sending limit" at Gmail: only with its words.
  return has_any(text, words) && is_excess(text);
}

bool says_too_many_recipients(const codec::Reply& reply, std::string_view text) {
  if (reply.enhanced.present() && reply.enhanced.subject == 5 && reply.enhanced.detail == 3) {
    return true;
  }
  const bool recipients = has_any(text, std::array<std::string_view, 2>{"recipient", "rcpt"});
  const bool counted = has_any(
      text, std::array<std::string_view, 5>{"too many", "count", "number of", "maximum", "limit"});
  return recipients && counted && is_excess(text);
}

// Old servers say 552 where 452 is meant (RFC 5321 4.5.3.1.10).
bool may_mean_too_many_recipients(const codec::Reply& reply) {
  return !reply.enhanced.present() && (reply.code == 452 || reply.code == 552);
}

bool counts_messages(std::string_view text) {
  const bool messages = has_any(
      text, std::array<std::string_view, 4>{"messages", "message limit", "transactions", "mails"});
  const bool too_many =
      has_any(text, std::array<std::string_view, 4>{"too many", "limit", "maximum", "exceed"});
  return messages && too_many;
}

bool says_session_is_full(std::string_view text) {
  return counts_messages(text) &&
         has_any(text, std::array<std::string_view, 3>{"session", "connection", "messages sent"});
}

}  // namespace

ReplyScope scope_of(Stage stage, const codec::Reply& reply) {
  const std::string text = lower_case(reply.text);
  if (says_login(stage, reply, text)) {
    return ReplyScope::login;
  }
  if (says_session_is_full(text)) {
    return ReplyScope::session;
  }
  if (says_quota(reply, text)) {
    return ReplyScope::quota;
  }
  // Of a message that is too large 552 is right, so without the words only RCPT's counts.
  const bool overflow = says_too_many_recipients(reply, text) ||
                        (stage == Stage::rcpt && may_mean_too_many_recipients(reply));
  return overflow && stage != Stage::mail ? ReplyScope::recipients : ReplyScope::message;
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
