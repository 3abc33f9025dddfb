// The receiving side of the session: what each reply means for what it answers. See session.cpp;
// greeting, EHLO, STARTTLS and AUTH are opening.h's.
#include "codec/job/delivery_prefetch.h"
#include "engine/protocol/general_rules.h"
#include "engine/protocol/reply_rules.h"
#include "engine/protocol/reply_scope.h"
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

}  // namespace

void Session::receive(Bytes octets, Instant now) {
  if (state_ == SessionState::handshake && !octets.empty()) {
    close(reason_of(CloseKind::starttls_injected, Stage::starttls));
  }
  codec::Reply reply;
  while (!closed() && !octets.empty()) {
    const auto complete = stream_.parse(octets, reply);
    if (!complete) {
      close(opening_.reason_of_malformed(complete.error(), stage_under_way()));
      return;
    }
    if (!*complete) {
      if (deadline_ == never) {
        deadline_ = now + options_.timeouts.command;  // nobody asked for it, but it has to end
      }
      return;
    }
    note_reply_time(now);
    on_reply(reply, now);
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

void Session::on_reply(const codec::Reply& original, Instant now) {
  codec::Reply reply = original;
  opening_.redact(reply);
  if (stream_.awaited().empty()) {
    if (reply.code == 421) {
      close_with_reply(CloseKind::peer_closing, stage_under_way(), reply, false);
    } else {
      close_on_protocol_error("a reply came though none was awaited", reply);
    }
    return;
  }
  const Expectation expectation = stream_.awaited().front();
  full_word_.reset();  // it goes on
  if (refused_mail_) {
    release_refused_mail();
  }
  if (!out_of_place(expectation, reply)) {
    stream_.credit();
    if (step_clock_) {
      step_clock_->answered(expectation, now);
    }
    if (trial_ && trial_->front && expectation.transaction == trial_->sequence) {
      ++trial_->replies_behind_front;
    }
    credit(expectation, reply);
    if (!reply.positive()) {
      quit_when_spent();  // of refusals
    }
    if (ending_ && !closed() && stream_.awaited().empty()) {
      close(*ending_);
    }
  }
}

void Session::credit(const Expectation& expectation, const codec::Reply& reply) {
  switch (expectation.kind) {
    case Expected::greeting:
    case Expected::ehlo:
    case Expected::helo:
    case Expected::starttls:
    case Expected::auth:
      on_opening_reply(expectation.kind, reply);
      break;
    case Expected::mail:
      if (expectation.transaction + 2 < flight_.begun()) {
        codec::prefetch(flight_.at(expectation.transaction + 2).delivery, sizeof(Delivery));
        codec::prefetch_fate(*flight_.at(expectation.transaction + 1).delivery);
      }
      on_mail_reply(flight_.at(expectation.transaction), reply);
      break;
    case Expected::rcpt:
      on_rcpt_reply(flight_.at(expectation.transaction), expectation.recipient, reply);
      break;
    case Expected::data:
      on_data_reply(flight_.at(expectation.transaction), reply);
      break;
    case Expected::chunk:
      on_chunk_reply(flight_.at(expectation.transaction), reply);
      break;
    case Expected::end_of_data:
      on_end_of_data_reply(flight_.at(expectation.transaction), reply);
      break;
    case Expected::rset:
      on_rset_reply(reply);
      break;
    case Expected::quit:
      close(CloseReason{});  // the kind of a fresh one is `quit`
      break;
    case Expected::trial_mail:
      trial_mail_taken_ = reply.positive();
      break;
    case Expected::trial_other:
      // Whatever it says: the reply to RSET behind it shows whether octets were commands.
      if (reply.positive() && !traits_.knowledge().discarding_proven) {
        traits_.note_chunks_for_nobody();
      }
      break;
  }
}

void Session::on_opening_reply(Expected kind, const codec::Reply& reply) {
  std::optional<CloseReason> ending = opening_.hear(kind, reply);
  state_ = opening_.state();  // receive() says to the listener that TLS begins
  if (ending) {
    close(std::move(*ending));
  } else if (state_ == SessionState::ready) {
    if (step_clock_) {
      step_clock_->ready();
    }
    listener_.on_ready();
  }
}

void Session::tls_established(Instant now) {
  opening_.tls_established();
  state_ = opening_.state();
  set_deadline(now);
}

// Of a 421 to RCPT that says so: how many recipients a transaction may have. No message is to
// blame.
bool Session::learn_recipients_max(const Expectation& expectation, const codec::Reply& reply) {
  if (expectation.kind != Expected::rcpt) {
    return false;
  }
  const std::uint32_t taken = flight_.at(expectation.transaction).taken;
  if (taken == 0 || scope_of(ruling_of(Stage::rcpt, reply)) != ReplyScope::recipients) {
    return false;
  }
  traits_.note_recipients_max(taken);
  return true;
}

// Of a 421 in the place of an answer to a message: whether the message only came too fast.
bool Session::is_too_fast(const Expectation& expectation, const codec::Reply& reply) const {
  const auto is = [&](Expected kind, Stage stage) {
    return expectation.kind == kind && scope_of(ruling_of(stage, reply)) == ReplyScope::rate;
  };
  return is(Expected::mail, Stage::mail) || is(Expected::rcpt, Stage::rcpt) ||
         is(Expected::data, Stage::data);
}

// Whether the reply ends the session instead of being credited to `expectation`.
bool Session::out_of_place(const Expectation& expectation, const codec::Reply& reply) {
  const bool end_of_data = expectation.kind == Expected::end_of_data;
  // What counts is when the reply began to come: its end may come after the command has left.
  const bool early = flight_.is_early(expectation, stream_.reply_begin_offset());
  const bool an_answer =
      expectation.kind == Expected::greeting || expectation.kind == Expected::quit || end_of_data;
  if (reply.code == 421 && (early || !an_answer)) {
    // The server is going away; this says nothing about a message (RFC 5321 3.8).
    CloseReason reason =
        reason_with_reply(CloseKind::peer_closing, stage_under_way(), reply, false);
    reason.too_fast = !early && is_too_fast(expectation, reply);
    reason.after_refusals = !early && (learn_recipients_max(expectation, reply) || reason.too_fast);
    close(std::move(reason));
    return true;
  }
  const bool refused = reply.transient() || reply.permanent();
  if (early && refused && end_of_data && flight_.at(expectation.transaction).chunked) {
    // The server counts octets: it knows where the content ends, and the rest may follow.
    return false;
  }
  if (early && refused && end_of_data) {
    // Refused in the middle of its content: an answer, but the rest cannot be sent any more.
    Transaction& current = flight_.at(expectation.transaction);
    decide_all(current, judge(current, Stage::data, reply));
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
  if (last_word_ && kind == Expected::mail && reply.positive() && !recipients_left_open_) {
    // Dovecot hands RSET on to a backend that has had enough of them, and begins anew by itself: a
    // MAIL inside of a transaction would get 503 (RFC 5321 4.1.4), and nobody was left in that one.
    last_word_.reset();
  }
  if (last_word_) {
    return "RSET was refused, and the server goes on";
  }
  if (kind == Expected::data) {
    const Transaction& current = flight_.at(expectation.transaction);
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
    const Transaction& current = flight_.at(expectation.transaction);
    const bool for_nobody = current.is_for_nobody();
    if (current.chunked && for_nobody && !traits_.knowledge().chunks_for_nobody) {
      return "a message was accepted of which the sender or all recipients were refused";
    }
  }
  if (traits_.in_words_of_another(kind, reply, left_in_burst(expectation))) {
    return "a command was answered in the words that this server has for another one";
  }
  return {};
}

// Nobody refuses RSET but to end the session: Exim does so when it has had too many of them (its
// smtp_accept_max_nonmail). If the end is what comes next, this was the last command that the
// server looked at, as with 421.
void Session::on_rset_reply(const codec::Reply& reply) {
  if (trial_ && !traits_.knowledge().discarding_proven) {
    if (reply.positive()) {
      traits_.prove_discarding();
    } else {
      close_with_reply(CloseKind::chunking_refused, Stage::data, reply, false);
      return;
    }
  }
  if (!reply.positive() && trial_) {
    ++refusals_;
    return;  // of the company that it came in; the replies behind it tell
  }
  if (!reply.positive() && is_about_command(reply) && stream_.awaited().empty()) {
    // It does not know RSET: from now on a session ends behind a transaction that stays open.
    traits_.note_reset_unknown();
    close_with_reply(CloseKind::peer_closing, Stage::mail, reply, false);
    return;
  }
  if (!reply.positive()) {
    ++refusals_;
    last_word_ = std::make_unique<CloseReason>(
        reason_with_reply(CloseKind::peer_closing, Stage::mail, reply, false));
  }
  if (last_word_ && stream_.awaited().empty()) {
    close(*last_word_);  // nothing has left behind it
  }
}

void Session::on_mail_reply(Transaction& current, const codec::Reply& reply) {
  ++mails_answered_;
  if (reply.positive()) {
    current.mail_taken = true;
    ++mails_taken_;
    put_offs_ = 0;
    return;
  }
  ++refusals_;
  current.mail_refused = true;
  if (!hold(current, Stage::mail, 0, reply)) {
    // More was asked in the same breath. If the end of the session is what comes next, that was
    // about what came together and not about this message.
    const bool in_company = reply.permanent() && !stream_.awaited().empty() &&
                            scope_of(ruling_of(Stage::mail, reply)) == ReplyScope::message;
    if (in_company) {
      refused_mail_ = std::make_unique<HeldReply>(held(Stage::mail, 0, reply));
    } else {
      decide_all(current, judge(current, Stage::mail, reply));
    }
  }
  finish_if_pointless(current);
}

// The session goes on behind the refusal of MAIL: it is meant.
void Session::release_refused_mail() {
  const std::unique_ptr<HeldReply> refusal = std::move(refused_mail_);
  Transaction& current = flight_.front();
  decide_all(current, judge(current, Stage::mail, refusal->reply()));
}

// The user's rules, then the preset's, then the general ones.
Ruling Session::ruling_of(Stage stage, const codec::Reply& reply) const {
  return options_.reply_rules ? options_.reply_rules->rule(stage, reply)
                              : general_ruling(stage, reply);
}

// What a refusal means for the recipients that it answers, and for the session.
Verdict Session::judge(Transaction& current, Stage stage, const codec::Reply& reply) {
  if (reply.positive()) {
    return verdict_of_reply(stage, reply);
  }
  if (second_opinion_ && current.one_by_one && !second_opinion_->second) {
    second_opinion_->second = held(stage, 0, reply);
  }
  Ruling ruling = ruling_of(stage, reply);
  if (ruling.rule == nullptr) {
    listener_.on_unruled(stage, reply, ruling);
  }
  SaidInARow said;
  if (!ruling.is_due || ruling.action == RuleAction::mistake) {
    said = listener_.on_repeated(*current.delivery, ruling);
    const std::uint32_t times = is_of_message(ruling.scope) ? said.of_message : said.by_endpoint;
    ruling.is_due = ruling.is_due || times >= ruling.rule->times;
  }
  if (stage == Stage::mail && trial_mail_taken_ && mails_taken_ == 0 &&
      (scope_of(ruling) == ReplyScope::session || reply.transient())) {
    // It has so few messages a session that the trial was one too many.
    fall_back_now(reason_with_reply(CloseKind::way_refused, stage, reply, false),
                  Pipelining::across);
    quit_wanted_ = true;
    return verdict_of_way(stage, reply);
  }
  if (auto verdict = ruling.is_due && ruling.action == RuleAction::mistake
                         ? act_on_mistake(ruling, said, stage, reply)
                         : act_on(ruling, current, stage, reply)) {
    if (ruling.rule != nullptr) {
      verdict->reason = ruling.rule->hint;
    }
    return *verdict;
  }
  if (ruling.rule != nullptr) {
    return verdict_of_rule(stage, reply, ruling);
  }
  // A session that has sent before and is put off may have had its share: another one tells, where
  // a sender that is not wanted now is put off at its first MAIL.
  const std::uint64_t before = mails_taken_ - (current.mail_taken ? 1 : 0);
  if (before > 0 && may_be_full_session(stage, reply)) {
    if (++put_offs_ > 1 || traits_.has_ended_behind(before)) {
      note_session_is_full(before);
    } else if (!quit_wanted_) {
      quit_wanted_ = true;
      traits_.note_put_off(before);
    }
    return verdict_of_way(stage, reply);
  }
  return verdict_of_reply(stage, reply);
}

// Of what is not about the message. Nothing: there is nothing to be done but to judge it.
std::optional<Verdict> Session::act_on(const Ruling& ruling, Transaction& current, Stage stage,
                                       const codec::Reply& reply) {
  switch (scope_of(ruling)) {
    case ReplyScope::login:
      return stop_for(ruling, stage, reply);
    case ReplyScope::quota:
      return verdict_of_quota(stage, reply, ruling.window());
    case ReplyScope::rate:
      return verdict_of_rate(stage, reply);
    case ReplyScope::session: {
      // The message itself has been counted; so have those that were refused, by some servers.
      const std::uint64_t before = mails_answered_ - 1;
      const bool others_go_on = ruling.action == RuleAction::fewer_connections && is_one_too_many();
      if (before == 0 && !others_go_on) {
        return std::nullopt;
      }
      if (ruling.action == RuleAction::reconnect) {
        note_session_is_full(before);
      }
      quit_wanted_ = true;
      if (reply.permanent() && !stream_.awaited().empty()) {
        full_word_ = std::make_unique<CloseReason>(
            reason_with_reply(CloseKind::peer_closing, stage, reply, false));
      }
      return verdict_of_way(stage, reply);
    }
    case ReplyScope::recipients:
      if (current.taken > (stage == Stage::rcpt ? 0u : 1u)) {
        note_too_many_recipients(current, stage, reply);
        return verdict_of_way(stage, reply);
      }
      return std::nullopt;
    case ReplyScope::way:
    case ReplyScope::message:
      return std::nullopt;
  }
  RP_ASSERT(false);
}

// Said of all that a session has in flight, it is said once.
bool Session::is_one_too_many() {
  if (!is_one_too_many_) {
    is_one_too_many_ = listener_.on_one_too_many();
  }
  return *is_one_too_many_;
}

// The login, or what is above it, is closed.
Verdict Session::stop_for(const Ruling& ruling, Stage stage, const codec::Reply& reply) {
  CloseReason reason = reason_with_reply(CloseKind::login_wanted, stage, reply, true);
  reason.detail = ruling.rule != nullptr ? ruling.rule->hint : std::string();
  reason.rule = ruling.rule;
  end_when_answered(std::move(reason));
  return verdict_of_way(stage, reply);
}

// Ours or the configuration's: another session does it in a simpler way, and says why. Said again
// and again it is the configuration's; of one message alone, that one's. A session makes one, since
// what it has in flight was all sent in the same way.
std::optional<Verdict> Session::act_on_mistake(const Ruling& ruling, const SaidInARow& said,
                                               Stage stage, const codec::Reply& reply) {
  if (said.by_endpoint >= mistakes_max) {
    return stop_for(ruling, stage, reply);
  }
  if (said.of_message >= mistakes_max) {
    return std::nullopt;
  }
  if (const Pipelining way = flight_.way(); way != Pipelining::off && !has_mistaken_) {
    fall_back_now(reason_with_reply(CloseKind::way_refused, stage, reply, false), one_less(way));
  }
  has_mistaken_ = true;
  quit_wanted_ = true;
  return verdict_of_way(stage, reply);
}

void Session::note_session_is_full(std::uint64_t messages) {
  quit_wanted_ = true;
  traits_.note_full_session(messages);
}

// The transaction goes on with those that were taken; of those behind, what has not left does not
// leave.
void Session::note_too_many_recipients(Transaction& current, Stage stage,
                                       const codec::Reply& reply) {
  std::uint32_t most = current.taken;
  if (stage != Stage::rcpt) {
    const std::uint32_t said = number_below(reply.text, current.taken);
    most = said != 0 ? said : current.taken / 2;
  }
  traits_.note_recipients_max(most);
  crowded_ = stage == Stage::rcpt;
  for (std::uint32_t i = current.next_recipient; i < current.recipients_end; ++i) {
    Recipient& recipient = current.delivery->recipients[i];
    if (current.step == Step::rcpt && recipient.progress == RecipientProgress::offered) {
      recipient.progress = RecipientProgress::waiting;
    }
  }
  if (current.step == Step::rcpt) {
    current.recipients_end = current.next_recipient;
    current.step = Step::data;
  }
}

void Session::on_rcpt_reply(Transaction& current, std::uint32_t index, const codec::Reply& reply) {
  refusals_ += reply.positive() ? 0u : 1u;
  if (current.mail_refused) {
    // 503, most likely; MAIL's reply has decided. A 2xx is kept in mind for DATA.
    current.taken += reply.positive() ? 1u : 0u;
    finish_if_pointless(current);
    return;
  }
  if (reply.positive()) {
    current.delivery->recipients[index].progress = RecipientProgress::taken;
    ++current.taken;
  } else if (!hold(current, Stage::rcpt, index, reply)) {
    decide(current, index, judge(current, Stage::rcpt, reply));
  }
  finish_if_pointless(current);
}

void Session::on_data_reply(Transaction& current, const codec::Reply& reply) {
  if (reply.intermediate()) {
    current.lone_dot = current.taken == 0;
    if (!current.lone_dot && on_trial(current)) {
      pass_trial();
    }
    if (second_opinion_ && current.one_by_one && !current.lone_dot) {
      compare_opinions(true);
    }
    current.step =
        current.lone_dot || current.message->content.empty() ? Step::end_of_data : Step::content;
    stream_.pending().append(current.step == Step::content ? Bytes(current.header) : Bytes());
    stream_.expect(Expected::end_of_data, flight_.sending());
    return;
  }
  ++refusals_;
  if (current.taken > 0 && !hold(current, Stage::data, 0, reply)) {
    decide_all(current, judge(current, Stage::data, reply));
  }
  reset_needed_ = current.may_be_open();
  recipients_left_open_ = current.taken > 0;
  finish_transaction(current);
}

// To a BDAT that is not the last: a message whose end has not left was not taken, whatever it says.
void Session::on_chunk_reply(Transaction& current, const codec::Reply& reply) {
  if (reply.positive()) {
    if (current.is_for_nobody()) {
      close_on_protocol_error("octets were taken of a message without a recipient");
      return;
    }
    traits_.prove_chunking();
    chunks_taken_ = true;
    current.step = Step::data;
    if (on_trial(current)) {
      pass_trial();
    }
    return;
  }
  if (!current.is_for_nobody()) {
    close_with_reply(CloseKind::chunking_refused, Stage::data, reply, false);
    return;
  }
  finish_transaction(current);
}

// Its first chunk was taken, and the rest of it is out of order: the server takes each chunk for a
// whole message. 421 is no such complaint, whatever it speaks of: it ends the session.
bool Session::is_cut_short(const Transaction& current, const codec::Reply& reply) {
  return current.chunked && current.chunk_tried && current.taken > 0 && reply.code != 421 &&
         is_about_command(reply);
}

void Session::on_end_of_data_reply(Transaction& current, const codec::Reply& reply) {
  if (hold_end_of_data(reply)) {
    if (reply.code == 421) {
      close_with_reply(CloseKind::peer_closing, Stage::eod, reply, false);
    }
    return;
  }
  const bool unproven = current.chunked && !chunks_taken_;
  const bool about_bdat = reply.code >= 500 && reply.code <= 504;
  if (unproven && current.taken > 0 && about_bdat) {
    decide_all(current, verdict_of_way(Stage::data, reply));
    finish(current);
    close_with_reply(CloseKind::chunking_refused, Stage::data, reply, false);
    return;
  }
  if (is_cut_short(current, reply)) {
    decide_all(current, verdict_of_way(Stage::data, reply));
    reset_needed_ = true;
    finish_transaction(current);
    fall_back_now(reason_with_reply(CloseKind::chunking_refused, Stage::data, reply, false),
                  Pipelining::across);
    return;
  }
  refusals_ += reply.positive() ? 0u : 1u;
  recipients_left_open_ = !reply.positive() && current.taken > 0;
  const bool for_nobody = current.is_for_nobody();
  const bool left = stream_.has_left(current.end_offset);
  if (!for_nobody) {
    decide_all(current, judge(current, left ? Stage::eod : Stage::data, reply));
  }
  if (reply.positive()) {
    learn_from_accepted(current);
  }
  if (left) {
    finish_transaction(current);
  } else {
    current.answered = true;
  }
  if (reply.code == 421) {
    close_with_reply(CloseKind::peer_closing, Stage::eod, reply, false);
  }
}

// How long this server takes for a command: the measure of a trial's patience. Content is judged
// for longer.
void Session::note_reply_time(Instant now) {
  const bool of_command =
      !stream_.awaited().empty() && stream_.awaited().front().kind != Expected::end_of_data;
  if (of_command && waits_since_ != Instant{}) {
    slowest_reply_ = std::max(slowest_reply_, now - waits_since_);
  }
  waits_since_ = now;
}

}  // namespace ringpost::protocol
