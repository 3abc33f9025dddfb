// What a refusal is about, where it is not about the recipient or the message that it answers.
//
// A server has one place to say no, the reply at hand, and says there too that the session, the
// login, the account or the endpoint has come to an end of something. Pure: a reply in, a word out.
#pragma once

#include <cstdint>

#include "codec/smtp/smtp_reply.h"
#include "engine/protocol/reply_rules.h"
#include <ringpost/outcome.h>

namespace ringpost::protocol {

enum class ReplyScope : std::uint8_t {
  message,     // the recipient or the message, as it says: a verdict
  recipients,  // too many of them in this transaction: the same message, fewer at a time
  session,     // this session has had its share: the same message in another one
  login,       // nobody is logged in, or not well enough: nothing can be sent there
  quota,       // the account has used up what it may send: later
  rate,        // its messages come too fast: again, at a lower rate
  way,         // a mistake of ours or of the configuration: again, in a simpler way
};

// What a session can do about what a ruling says: where one is too many, it ends. Where it cannot
// do that yet, the nearest that it can: what is slower for one session is its end; what is about
// one sender alone is about the message, and so is what was not said often enough yet.
[[nodiscard]] ReplyScope scope_of(const Ruling& ruling);

// `stage`: of the command that it answers: mail, rcpt, data or eod. Precondition: it is a 4xx or a
// 5xx. By the general rules (general_rules.h); what they do not know is about the message.
[[nodiscard]] ReplyScope scope_of(Stage stage, const codec::Reply& reply);

// Whether a 4xx behind messages that this session has sent may mean that it has had its share: any
// at MAIL, whatever the words, and elsewhere "too many messages" that are
// no recipient's.
[[nodiscard]] bool may_be_full_session(Stage stage, const codec::Reply& reply);

// Whether it is about the command as such (RFC 5321 4.2.2, RFC 3463 3.6), as replies are to what
// came out of step: no verdict on a message while a way of speaking is on trial.
[[nodiscard]] bool is_about_command(const codec::Reply& reply);

// Whether it is about commands that came together: "554 SMTP synchronization error" (Exim).
[[nodiscard]] bool says_pipelining(Bytes text);

// Whether the server ends sessions for their errors and says so.
[[nodiscard]] bool says_too_many_errors(Bytes text);

// Whether one connection more is one too many, by the words of any server.
[[nodiscard]] bool says_too_many_connections(Bytes text);

// The first number in a text that is at least 1 and below `limit`; 0: there is none.
[[nodiscard]] std::uint32_t number_below(Bytes text, std::uint32_t limit);

}  // namespace ringpost::protocol
