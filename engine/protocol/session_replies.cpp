// The receiving side of the session: what each reply means for what it answers. See session.cpp;
// greeting, EHLO, STARTTLS and AUTH are in session_opening.cpp.
#include "codec/job_prefetch.h"
#include "engine/protocol/session.h"

namespace ringpost::protocol {

namespace {

// Positive codes that answer one command only (RFC 5321 4.2.2, RFC 4954 6). Elsewhere they are the
// sign of a lost step, and a 221 in the place of a 250 would be taken for an accepted message.
bool belongs_elsewhere(Expected kind, std::uint16_t code) {
  switch (code) {
    case 220:
      return kind != Expected::greeting && kind != Expected::starttls;
    case 221:
      return kind != Expected::quit;
    case 235:
      return kind != Expected::auth;
    default:
      return false;
  }
}

// RFC 3463 3.6, RFC 5321 4.5.3.1.10. Old servers say 552 where 452 is meant.
bool says_too_many_recipients(const codec::Reply& reply) {
  if (reply.enhanced.present()) {
    return reply.enhanced.subject == 5 && reply.enhanced.detail == 3;
  }
  return reply.code == 452 || reply.code == 552;
}

// Codes that are about a command (RFC 5321 4.2.2), never about a message.
bool refuses_command(const codec::Reply& reply) { return reply.code >= 500 && reply.code <= 504; }

}  // namespace

void Session::receive(Bytes octets, Instant now) {
  if (state_ == SessionState::handshake && !octets.empty()) {
    close(reason_of(CloseKind::starttls_injected, Stage::starttls));
  }
  codec::Reply reply;
  while (!closed() && !octets.empty()) {
    if (!parser_.in_reply()) {
      reply_begin_offset_ = handed_over_offset_;
    }
    const auto complete = parser_.parse(octets, reply);
    if (!complete) {
      close_on_malformed(complete.error());
      return;
    }
    if (!*complete) {
      if (deadline_ == never) {
        deadline_ = now + options_.timeouts.command;  // nobody asked for it, but it has to end
      }
      return;
    }
    on_reply(reply);
    if (closed()) {
      return;
    }
    if (state_ == SessionState::handshake) {
      // Only now: octets that stand behind the 220 end the session before TLS begins.
      if (!octets.empty()) {
        close(reason_of(CloseKind::starttls_injected, Stage::starttls));
        return;
      }
      listener_.on_start_tls();
    }
    set_deadline(now);
  }
}

void Session::on_reply(const codec::Reply& original) {
  codec::Reply reply = original;
  if (login_ && login_->redactor.finds_secret(reply.text)) {
    redacted_ = reply.text;
    login_->redactor.redact(redacted_);
    reply.text = redacted_;
  }
  if (awaited_.empty()) {
    if (reply.code == 421) {
      close_with_reply(CloseKind::peer_closing, stage_under_way(), reply, false);
    } else {
      close_on_protocol_error("a reply came though none was awaited", reply);
    }
    return;
  }
  const Expectation expectation = awaited_.front();
  if (!out_of_place(expectation, reply)) {
    awaited_.pop();
    credited_offset_ = reply_begin_offset_;
    credit(expectation, reply);
  }
}

void Session::credit(const Expectation& expectation, const codec::Reply& reply) {
  switch (expectation.kind) {
    case Expected::greeting:
      on_greeting_reply(reply);
      break;
    case Expected::ehlo:
    case Expected::helo:
      on_hello_reply(expectation.kind, reply);
      break;
    case Expected::starttls:
      on_starttls_reply(reply);
      break;
    case Expected::auth:
      on_auth_reply(reply);
      break;
    case Expected::mail:
      if (expectation.transaction + 1 < sequence_end_) {
        codec::prefetch_parts(*transaction(expectation.transaction + 1).job);
      }
      on_mail_reply(transaction(expectation.transaction), reply);
      break;
    case Expected::rcpt:
      on_rcpt_reply(transaction(expectation.transaction), expectation.recipient, reply);
      break;
    case Expected::data:
      on_data_reply(transaction(expectation.transaction), reply);
      break;
    case Expected::end_of_data:
      on_end_of_data_reply(transaction(expectation.transaction), reply);
      break;
    case Expected::rset:
      on_rset_reply(reply);
      break;
    case Expected::quit:
      close(CloseReason{});  // the kind of a fresh one is `quit`
      break;
  }
}

// Whether the command had not left when `handed_over` octets had.
bool Session::is_early(const Expectation& expectation, std::uint64_t handed_over) const {
  if (expectation.kind != Expected::end_of_data) {
    return expectation.sent_offset > handed_over;
  }
  const std::uint64_t end_offset = transaction(expectation.transaction).end_offset;
  return end_offset == 0 || end_offset > handed_over;
}

// Whether the reply ends the session instead of being credited to `expectation`.
bool Session::out_of_place(const Expectation& expectation, const codec::Reply& reply) {
  const bool end_of_data = expectation.kind == Expected::end_of_data;
  // What counts is when the reply began to come: its end may come after the command has left.
  const bool early = is_early(expectation, reply_begin_offset_);
  const bool an_answer =
      expectation.kind == Expected::greeting || expectation.kind == Expected::quit || end_of_data;
  if (reply.code == 421 && (early || !an_answer)) {
    // The server is going away; this says nothing about a message (RFC 5321 3.8).
    close_with_reply(CloseKind::peer_closing, stage_under_way(), reply, false);
    return true;
  }
  const bool refused = reply.transient() || reply.permanent();
  if (early && refused && end_of_data && transaction(expectation.transaction).chunked) {
    // The server counts octets: it knows where the content ends, and the rest may follow.
    return false;
  }
  if (early && refused && end_of_data) {
    // Refused in the middle of its content: an answer, but the rest cannot be sent any more.
    decide_all(transaction(expectation.transaction), verdict_of_reply(Stage::data, reply));
    close_with_reply(CloseKind::protocol_error, Stage::data, reply, false);
    return true;
  }
  if (early) {
    close_on_protocol_error("a reply came before its command was sent", reply);
    return true;
  }
  const std::string_view why = why_meaningless(expectation, reply);
  if (!why.empty()) {
    close_on_protocol_error(why, reply);
  }
  return !why.empty();
}

// Replies that no server in step gives. More than the code is looked at, because in a pipeline most
// codes are 250.
std::string_view Session::why_meaningless(const Expectation& expectation,
                                          const codec::Reply& reply) {
  const Expected kind = expectation.kind;
  if (kind == Expected::quit) {
    return {};  // the end, whatever it says
  }
  if (reply.intermediate()) {
    const bool go_on = (kind == Expected::data && reply.code == 354) ||
                       (kind == Expected::auth && reply.code == 334);
    if (!go_on && kind != Expected::starttls) {
      return "a 3xx reply came where it has no meaning";
    }
  }
  if (belongs_elsewhere(kind, reply.code) && kind != Expected::starttls) {
    return "a reply came that answers another command";
  }
  if (last_word_) {
    return "RSET was refused, and the server goes on";
  }
  if (kind == Expected::data) {
    const Transaction& current = transaction(expectation.transaction);
    if (reply.positive()) {
      return "DATA was answered with a 2xx";
    }
    if (reply.intermediate() && current.mail_refused && current.taken > 0) {
      // A transaction that we know nothing of is open, and a lone dot would send its recipients an
      // empty message.
      return "recipients were taken though MAIL was refused";
    }
  }
  if (kind == Expected::end_of_data && reply.positive()) {
    const Transaction& current = transaction(expectation.transaction);
    if (current.chunked && (current.mail_refused || current.taken == 0)) {
      return "a message was accepted of which the sender or all recipients were refused";
    }
  }
  // RFC 3463 3.2: in a burst of 250s the enhanced status tells what was answered. Where commands
  // wait for each other it proves nothing: some servers use one status for everything.
  const bool in_burst = left_in_burst(expectation) && reply.positive();
  const bool status_of_mail = in_burst && reply.enhanced == EnhancedStatus{2, 1, 0};
  const bool status_of_rcpt = in_burst && reply.enhanced == EnhancedStatus{2, 1, 5};
  if (kind == Expected::end_of_data && in_burst && answers_reset(reply)) {
    return "the end of data was answered in the words for RSET";
  }
  if (status_of_mail && kind == Expected::end_of_data) {
    return "the end of data was answered with the status of MAIL";
  }
  if (status_of_mail && kind == Expected::rcpt) {
    return "RCPT was answered with the status of MAIL";
  }
  if (status_of_rcpt && kind == Expected::end_of_data) {
    return "the end of data was answered with the status of RCPT";
  }
  if (status_of_rcpt && (kind == Expected::mail || kind == Expected::rset)) {
    return "a command was answered with the status of RCPT";
  }
  return {};
}

// Nobody refuses RSET but to end the session: Exim does so when it has had too many of them (its
// smtp_accept_max_nonmail). If the end is what comes next, this was the last command that the
// server looked at, as with 421.
void Session::on_rset_reply(const codec::Reply& reply) {
  note_reset_text(reply);
  if (!reply.positive()) {
    last_word_ = std::make_unique<CloseReason>(
        reason_with_reply(CloseKind::peer_closing, Stage::mail, reply, false));
  }
  if (last_word_ && awaited_.empty()) {
    close(*last_word_);  // nothing has left behind it
  }
}

void Session::on_mail_reply(Transaction& current, const codec::Reply& reply) {
  if (current.ran_ahead) {
    // Nothing more is known of flights than that the next command was answered, too.
    knowledge_.proven = std::max(knowledge_.proven, Pipelining::across);
  }
  if (reply.positive()) {
    current.mail_taken = true;
    return;
  }
  current.mail_refused = true;
  decide_all(current, verdict_of_reply(Stage::mail, reply));
  finish_if_pointless(current);
}

void Session::on_rcpt_reply(Transaction& current, std::uint32_t index, const codec::Reply& reply) {
  if (pipelining() != Pipelining::off) {
    knowledge_.proven = std::max(knowledge_.proven, Pipelining::within);
  }
  if (current.mail_refused) {
    // 503, most likely; MAIL's reply has decided. A 2xx is kept in mind for DATA.
    current.taken += reply.positive() ? 1u : 0u;
    finish_if_pointless(current);
    return;
  }
  if (reply.positive()) {
    current.job->recipients[index].progress = RecipientProgress::taken;
    ++current.taken;
  } else {
    const bool overflow = current.taken > 0 && says_too_many_recipients(reply);
    decide(current, index,
           overflow ? verdict_of_overflow(reply) : verdict_of_reply(Stage::rcpt, reply));
  }
  finish_if_pointless(current);
}

void Session::on_data_reply(Transaction& current, const codec::Reply& reply) {
  if (reply.intermediate()) {
    current.lone_dot = current.taken == 0;
    current.step =
        current.lone_dot || current.job->content.empty() ? Step::end_of_data : Step::content;
    pending_.append(current.step == Step::content ? Bytes(current.header) : Bytes());
    expect(Expected::end_of_data, sequence_sending_);
    return;
  }
  decide_all(current, verdict_of_reply(Stage::data, reply));
  reset_needed_ = current.mail_taken || current.taken > 0;
  finish(current);
}

void Session::on_end_of_data_reply(Transaction& current, const codec::Reply& reply) {
  const bool unproven = current.chunked && !knowledge_.chunking_proven;
  if (unproven && current.taken > 0 && refuses_command(reply)) {
    decide_all(current, verdict_of_refused_chunking(reply));
    finish(current);
    close_with_reply(CloseKind::chunking_refused, Stage::data, reply, false);
    return;
  }
  const bool for_nobody = current.taken == 0 || current.mail_refused;
  const bool left = current.end_offset != 0 && current.end_offset <= handed_over_offset_;
  if (!for_nobody) {
    decide_all(current, verdict_of_reply(left ? Stage::eod : Stage::data, reply));
  }
  if (reply.positive()) {
    learn_from_accepted(current, reply);
  }
  if (left) {
    finish(current);
  } else {
    current.answered = true;
  }
  if (reply.code == 421) {
    close_with_reply(CloseKind::peer_closing, Stage::eod, reply, false);
  }
}

}  // namespace ringpost::protocol
