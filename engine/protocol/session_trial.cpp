// The ladder: how the session finds out how far ahead a server can be spoken to, at no message's
// expense.
//
// The problem: servers announce PIPELINING and CHUNKING and then answer 503 to what came together
// with a final dot, drop it without a word, end the session, hang at BDAT or take a chunk that they
// have refused for commands. Taken at their word such replies are outcomes of messages that the
// server would have taken.
//
// The idea: a step that the endpoint has not shown is tried with one message, of which no end of
// data leaves before the step has shown itself. What is refused meanwhile is held, not told:
// - Command groups: MAIL, RCPTs and DATA together. They are shown by 354.
// - DATA groups: the same behind the end of data of the message in front, whose answer is held
//   until 354 has come for the one behind it.
// - BDAT flights, first part: a transaction with a chunk that is refused for want of a recipient,
//   and taken back by RSET, in front of the first MAIL: shows that octets of a refused chunk are
//   not read as commands. Then the first octets of the message, without a line end, in a BDAT that
//   is not the last: shows BDAT, and a server that hangs or closes there cannot have taken
//   anything.
// - Second part: the next envelope and its first chunk in one go behind the BDAT of the message in
//   front.
// Refused in step, the message is asked once more in lock-step, in the same session: the same
// answer there shows the step as well, another one that it does not work. Silence (of seconds), an
// end of the session, an early or surplus reply are failures, too; the message goes again for
// nothing, and later sessions stay below. A step that was seen to work is never tried again.
//
// Words of the server's are definite: a refusal that is about commands, a reply that is early or
// surplus. An end without such words and silence may be the network's, or those of a server that
// is restarted, so a step that failed by them is in doubt: sessions go on below, and one of them
// comes back to it when it has done a message there. Ended once more, the step has failed. Silence
// is not asked for twice, since each time costs the patience of a trial: where the server answers
// the next session without delay, a step below, it was not away or slow, and has dropped what it
// was sent. Only where it was slow there, too, is the step tried again, with more patience.
//
// Limits: a server that takes the end of data in front, says nothing to it and closes, because of
// what came with it, leaves that one message `unknown`.
#include <algorithm>
#include <string_view>

#include "codec/smtp/smtp_command.h"
#include "engine/protocol/reply_scope.h"
#include "engine/protocol/session.h"

namespace ringpost::protocol {

namespace {

using namespace std::chrono_literals;

// How long a step on trial may keep the session waiting: several times what the slowest reply to a
// command took, since look-ups at RCPT take seconds; and not so long that a run is held up by a
// server that has dropped the command.
constexpr Duration trial_patience_least = 5s;
constexpr Duration trial_patience_most = 30s;
constexpr int trial_patience_factor = 4;

// No server has a command of this name; if one reads it as a command it says so.
constexpr std::string_view discarded_octets = "discarded\r\n";

}  // namespace

HeldReply held(Stage stage, std::uint32_t recipient, const codec::Reply& reply) {
  return {stage, recipient, reply.code, reply.enhanced, std::string(reply.text), reply.lines};
}

Duration Session::trial_patience() const {
  return std::clamp<Duration>(slowest_reply_ * trial_patience_factor, trial_patience_least,
                              trial_patience_most);
}

// Called when its MAIL is about to leave.
void Session::begin_trial(Transaction& current) {
  const Pipelining way = way_of(current);
  if (trial_ || second_opinion_ || way == Pipelining::off) {
    return;
  }
  const bool ahead = !stream_.awaited().empty();
  Pipelining step = ahead ? way : Pipelining::within;
  if (way == Pipelining::flights) {
    step = Pipelining::flights;
  }
  if (step == Pipelining::across && flight_.before_next().chunked) {
    return;  // what stands in front of it is no final dot
  }
  const bool chunking_shown =
      traits_.knowledge().chunking_proven && traits_.knowledge().discarding_proven;
  const bool shown =
      traits_.has_proven(step) || (step == Pipelining::flights && !ahead && chunking_shown);
  if (shown) {
    return;
  }
  const std::uint64_t mails = flight_.sending() + messages_extra_;
  const std::uint64_t mails_max = traits_.messages_taken_max();
  if (step == Pipelining::within && mails_max != 0 && mails + 2 > mails_max) {
    // Refused, it could not be asked again in this session, nor in the next.
    current.one_by_one = true;
    return;
  }
  trial_ = std::make_unique<Trial>();
  trial_->step = step;
  trial_->sequence = flight_.sending();
  trial_->ran_ahead = ahead;
  trial_->again = traits_.is_doubted(step);
  if (step == Pipelining::flights && !traits_.knowledge().discarding_proven) {
    write_discarding_trial(current);
  }
}

void Session::write_discarding_trial(const Transaction& current) {
  const Message& message = *current.message;
  codec::MailParameters parameters;
  parameters.body_8bit = message.content.traits().has_8bit;
  parameters.smtputf8 = message.needs_smtputf8;
  codec::append_mail(stream_.pending(), message.sender, parameters, {});
  stream_.expect(Expected::trial_mail, flight_.sending());
  codec::append_bdat(stream_.pending(), discarded_octets.size());
  stream_.pending().append(discarded_octets);
  stream_.expect(Expected::trial_other, flight_.sending());
  reset_needed_ = true;
  ++messages_extra_;
  quit_when_spent();
}

void Session::write_first_chunk(Transaction& current) {
  const std::size_t count = current.first_chunk_bytes();
  RP_ASSERT(count > 0);
  codec::append_bdat(stream_.pending(), count);
  if (current.header.empty()) {
    append_content(current, count);
  } else {
    stream_.pending().append(current.header, 0, count);
    current.header.erase(0, count);
  }
  stream_.expect(Expected::chunk, flight_.sending());
  current.chunked = true;
  current.chunk_tried = true;
  current.step = Step::await_chunk;
  reset_needed_ = true;
}

// ---- What is held
// --------------------------------------------------------------------------------

// Whether the refusal is no verdict yet.
bool Session::hold(Transaction& current, Stage stage, std::uint32_t index,
                   const codec::Reply& reply) {
  if (!on_trial(current)) {
    return false;
  }
  trial_->refusals.push_back(held(stage, index, reply));
  return true;
}

// Of the message in front of the one on trial: whether its answer waits for the trial's end.
bool Session::hold_end_of_data(const codec::Reply& reply) {
  const bool in_front =
      trial_ && trial_->ran_ahead && !trial_->front && trial_->sequence == flight_.done() + 1;
  if (!in_front) {
    return false;
  }
  if (!trial_has_left()) {
    trial_.reset();  // it came in time to be no trial
    return false;
  }
  trial_->front = held(Stage::eod, 0, reply);
  return true;
}

// Whether the server has been sent any of it.
bool Session::trial_has_left() const {
  for (std::size_t i = 0; i < stream_.awaited().size(); ++i) {
    const Expectation& expectation = stream_.awaited().at(i);
    const bool of_trial = expectation.transaction == trial_->sequence &&
                          expectation.kind != Expected::end_of_data &&
                          expectation.kind >= Expected::mail;
    if (of_trial) {
      return expectation.sent_offset <= stream_.handed_over_offset();
    }
  }
  return false;
}

// What it shows when replies have kept step: of flights the first part shows groups of commands
// only.
Pipelining Session::shown_by_trial() const {
  const bool first_part = trial_->step == Pipelining::flights && !trial_->ran_ahead;
  return first_part ? Pipelining::within : trial_->step;
}

// The server keeps step: what it has said is meant.
void Session::pass_trial() {
  traits_.prove(shown_by_trial());
  traits_.note_steadiness(trial_->step == Pipelining::flights);
  if (trial_->front) {
    Transaction& front = flight_.front();
    const HeldReply reply = std::move(*trial_->front);
    trial_->front.reset();
    const bool cut_short = is_cut_short(front, reply.reply());
    decide_all(front, cut_short ? verdict_of_way(Stage::data, reply.reply())
                                : judge(front, Stage::eod, reply.reply()));
    finish_front(front, reply);
    if (cut_short) {
      fall_back_now(
          reason_with_reply(CloseKind::chunking_refused, Stage::data, reply.reply(), false),
          Pipelining::across);
    }
  }
  const std::unique_ptr<Trial> trial = std::move(trial_);
  Transaction& current = flight_.at(trial->sequence);
  for (const HeldReply& refusal : trial->refusals) {
    RP_ASSERT(refusal.stage == Stage::rcpt);
    decide(current, refusal.recipient, judge(current, refusal.stage, refusal.reply()));
  }
}

// The answer to the message in front of the one on trial, when that was no success. `reason`: the
// session ends; null: every command was answered.
void Session::release_front(const CloseReason* reason) {
  if (!trial_ || !trial_->front) {
    return;
  }
  Transaction& front = flight_.front();
  const HeldReply answer = std::move(*trial_->front);
  trial_->front.reset();
  const codec::Reply reply = answer.reply();
  // It is one reply of several to what left together. If some came behind it and not all, it may be
  // one of theirs; and if none came in time, though the server is there, one of them may be its
  // own that is missing.
  const bool others_came = reason != nullptr && trial_->replies_behind_front > 0;
  const bool waited = reason != nullptr && reason->kind == CloseKind::timeout;
  const bool in_doubt =
      reply.positive() ? reason != nullptr && (reason->kind == CloseKind::protocol_error ||
                                               (reason->kind == CloseKind::timeout && others_came))
                       : is_about_command(reply) && (others_came || waited);
  if (in_doubt) {
    decide_all(front, verdict_of_loss(Stage::eod, true, *reason, reason->message()));
  } else if (!reply.positive() && is_about_command(reply)) {
    decide_all(front, verdict_of_way(Stage::eod, reply));
  } else {
    decide_all(front, judge(front, Stage::eod, reply));
  }
  finish_front(front, answer);
}

void Session::finish_front(Transaction& front, const HeldReply& answer) {
  if (answer.code / 100 == 2) {
    learn_from_accepted(front);
  }
  finish(front);
}

// ---- Second opinions
// -----------------------------------------------------------------------------

// All of it was refused, and every command was answered.
void Session::end_trial_unproven(Transaction& current) {
  auto opinion = std::make_unique<SecondOpinion>();
  opinion->step = trial_->step;
  opinion->shown = shown_by_trial();
  opinion->first.stage = Stage::data;
  if (!trial_->refusals.empty()) {
    opinion->first = std::move(trial_->refusals.front());
  }
  release_front(nullptr);
  trial_.reset();
  opinion->sequence = flight_.done();
  second_opinion_ = std::move(opinion);
  ask_again(current);
}

// In lock-step, from its MAIL on.
void Session::ask_again(Transaction& current) {
  RP_ASSERT(&current == &flight_.front());
  reset_needed_ = reset_needed_ || current.may_be_open();
  flight_.restart(current.in_lock_step());
  ++messages_extra_;
  quit_when_spent();
}

// In lock-step the message's content was asked for, or it was refused as well.
void Session::compare_opinions(bool content_asked_for) {
  const std::unique_ptr<SecondOpinion> opinion = std::move(second_opinion_);
  const HeldReply& first = opinion->first;
  const bool refused = !content_asked_for && opinion->second;
  const bool as_far = refused && opinion->second->stage <= first.stage;
  const bool of_the_way = is_about_command(first.reply());
  if (as_far && !of_the_way && opinion->second->code == first.code) {
    traits_.prove(opinion->shown);
    return;
  }
  // Another refusal at the same place tells nothing; but nobody asks for ever.
  constexpr std::uint32_t unclear_max = 3;
  const bool unclear = as_far && (!of_the_way || is_about_command(opinion->second->reply()));
  if (unclear && ++opinions_unclear_ < unclear_max) {
    return;
  }
  CloseReason why =
      reason_of(CloseKind::way_refused, first.stage, std::string(name_of(opinion->step)));
  fall_back_now(std::move(why), one_less(opinion->step));
}

// Without an end of the session.
void Session::fall_back_now(CloseReason why, Pipelining to) {
  why.fall_back = to;
  traits_.fall_back(to);
  listener_.on_fall_back(why);
}

// A transaction that the server has done with, as refused as it may be.
void Session::finish_transaction(Transaction& current) {
  if (on_trial(current)) {
    end_trial_unproven(current);
    return;
  }
  if (second_opinion_ && &current == &flight_.at(second_opinion_->sequence)) {
    compare_opinions(false);
  }
  finish(current);
}

// What the end of the session says about the step that it tried.
void Session::judge_trial(CloseReason& reason) const {
  const CloseKind kind = reason.kind;
  const bool a_failure = kind == CloseKind::peer_closed || kind == CloseKind::peer_closing ||
                         kind == CloseKind::io_error || kind == CloseKind::timeout ||
                         kind == CloseKind::protocol_error || kind == CloseKind::chunking_refused;
  const bool tried = trial_ && (trial_has_left() || trial_->front || !trial_->refusals.empty());
  // Nobody will ever say whether a refusal on trial was meant, where each session is over behind
  // it.
  const bool unanswered = second_opinion_ && !stream_.awaited().empty() &&
                          (stream_.awaited().front().kind == Expected::rset ||
                           stream_.awaited().front().kind == Expected::mail);
  if (a_failure && unanswered) {
    reason.of_trial = true;
    reason.doubted = second_opinion_->step;
    return;
  }
  if (!tried || !a_failure) {
    return;
  }
  reason.of_trial = true;
  if (trial_->again || is_of_the_way(reason)) {
    reason.fall_back = one_less(trial_->step);
  } else {
    reason.doubted = trial_->step;
  }
}

// Whether the server itself has said that it does not go along.
bool Session::is_of_the_way(const CloseReason& reason) const {
  const bool said_at_the_end =
      reason.kind == CloseKind::protocol_error || reason.kind == CloseKind::chunking_refused ||
      (reason.kind == CloseKind::peer_closing && says_pipelining(reason.text));
  // 421 is about the session, and servers that go away say it, too.
  const auto says_so = [](const HeldReply& said) {
    return said.code != 421 && is_about_command(said.reply());
  };
  return said_at_the_end || (trial_->front && says_so(*trial_->front)) ||
         std::any_of(trial_->refusals.begin(), trial_->refusals.end(), says_so);
}

// ---- Steps in doubt
// ------------------------------------------------------------------------------

// The server has answered a step below as fast as it should have answered the trial.
void Session::bear_out_silence() {
  const bool in_time = slowest_reply_ < trial_patience_least;
  if (traits_.knowledge().doubts.silent == 0 || !in_time || state_ != SessionState::ready) {
    return;
  }
  for (Pipelining step = Pipelining::within; step <= traits_.knowledge().most;
       step = one_more(step)) {
    const bool silent = (traits_.knowledge().doubts.silent & bit_of(step)) != 0;
    if (silent && traits_.is_doubted(step) && !flight_.stays_below(step)) {
      CloseReason why = reason_of(CloseKind::timeout, Stage::local);
      why.of_trial = true;
      why.doubted = step;
      fall_back_now(std::move(why), one_less(step));
      return;
    }
  }
}

}  // namespace ringpost::protocol
