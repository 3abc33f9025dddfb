// The problem: replies say neither what they answer nor for whom, they come in any split, late or
// in bursts, and a reply credited to the wrong message is a wrong outcome for it and for all behind
// it.
//
// The idea: every command that leaves puts an expectation into a FIFO, together with its place in
// the output stream; every reply takes the front one. Where a reply cannot belong to the front (it
// began before its command was handed over, nothing is awaited, its code has no meaning there) the
// session is dead: it never tries to find its step again. Messages whose end of data was handed
// over by then are `unknown`, all others `unsent`; that decision is made in verdict.cpp.
//
// The sending side asks of each command only whether it may leave yet: at once where commands may
// be pipelined and nothing synchronising stands before it, else when no reply is awaited.
// Lock-step, groups within a message, groups across messages and flights of BDAT are the same code
// with another answer to that question (see pipelining.h).
//
// A server is trusted with as much as it has shown that it can do: session_trial.cpp. What went
// wrong makes later sessions more careful: fall_back() says how.
//
// What a session is made of stands by itself: the commands and what answers them
// (command_stream.h), the server (server_traits.h), the way to the first message (opening.h), the
// messages under way (flight.h). Here it judges. The receiving side is session_replies.cpp; for how
// long it waits, session_deadline.cpp.
#include "engine/protocol/session.h"

#include <algorithm>

#include "codec/mail/body_scan.h"
#include "codec/mail/idempotency_header.h"
#include "codec/smtp/smtp_command.h"
#include "engine/protocol/reply_scope.h"

namespace ringpost::protocol {

namespace {

// A message's content at least this long is handed out where it stands instead of being copied.
constexpr std::size_t view_bytes_min = 8u << 10;

// What SIZE counts (RFC 1870 3): line ends, but not the dots that are doubled.
std::uint64_t message_bytes(const Message& message) {
  return message.content.bytes() + (message.content.traits().has_open_line() ? 2u : 0u);
}

// Of two limits of which 0 is none.
std::uint64_t smaller_limit(std::uint64_t one, std::uint64_t other) {
  return one == 0 ? other : other == 0 ? one : std::min(one, other);
}

}  // namespace

Session::Session(const SessionOptions& options, SessionListener& listener, Instant now,
                 const PipeliningKnowledge& knowledge, std::shared_ptr<const Login> login)
    : options_(options),
      listener_(listener),
      traits_(options, knowledge),
      flight_(options, traits_),
      opening_(options, stream_, traits_, std::move(login)) {
  if (options.steps != nullptr) {
    step_clock_ = std::make_unique<StepClock>(*options.steps, now);
  }
  opening_.begin();
  set_deadline(now);
}

bool Session::idle() const { return state_ == SessionState::ready && flight_.empty(); }

bool Session::wants_message() const {
  // A reply that begins though none is awaited is the end of the session, once it is complete.
  const bool doomed =
      last_word_ || ending_ || (stream_.awaited().empty() && stream_.parser().in_reply());
  const bool room = flight_.has_room() && flight_.recipients_room(refusals_) > 0;
  return state_ == SessionState::ready && !quit_wanted_ && !doomed && room;
}

// ---- Messages ----------------------------------------------------------------------------------

void Session::submit(Delivery& delivery, Instant now) {
  RP_ASSERT(wants_message());
  if (refuse_locally(delivery)) {
    return;
  }
  Transaction& current = flight_.add(delivery, flight_.recipients_room(refusals_));
  current.header = codec::idempotency_header(delivery, options_.idempotency_header);
  quit_when_spent();
  if (stream_.awaited().empty()) {
    set_deadline(now);
  }
}

// What this server is known to be unable to take costs no round trip.
bool Session::refuse_locally(Delivery& delivery) {
  const Message& message = *delivery.message;
  std::string reason;
  const std::uint64_t said =
      traits_.capabilities().size ? traits_.capabilities().message_bytes_max : 0;
  const std::uint64_t size_max = smaller_limit(said, options_.message_bytes_max);
  if (size_max != 0 && message_bytes(message) > size_max) {
    reason = "the message has " + std::to_string(message_bytes(message)) +
             (size_max == said ? " octets and the server takes at most "
                               : " octets and bytes_per_message allows at most ") +
             std::to_string(size_max);
  } else if (message.content.traits().has_8bit && !traits_.capabilities().eight_bit_mime) {
    reason = "the message has 8-bit content and the server does not offer 8BITMIME";
  } else if (message.needs_smtputf8 && !traits_.capabilities().smtputf8) {
    reason = "an address or header is not ASCII and the server does not offer SMTPUTF8";
  }
  if (reason.empty()) {
    return false;
  }
  const Verdict verdict = verdict_of_local_refusal(reason);
  const auto count = static_cast<std::uint32_t>(delivery.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    Recipient& recipient = delivery.recipients[i];
    if (!recipient.decided && !recipient.postponed) {
      recipient.progress = RecipientProgress::refused;
      listener_.on_verdict(delivery, i, verdict);
    }
  }
  listener_.on_delivery_done(delivery);
  return true;
}

// ---- Sending -----------------------------------------------------------------------------------

bool Session::has_output() {
  if (stream_.has_pending()) {
    return true;
  }
  if (state_ < SessionState::ready || state_ == SessionState::closed) {
    return false;
  }
  if (!flight_.all_sent()) {
    const Step step = flight_.next().step;
    if (step == Step::content || step == Step::end_of_data) {
      return true;
    }
  }
  return write_commands();
}

Bytes Session::output(std::span<char> room) {
  RP_ASSERT(room.size() >= 1024);
  std::size_t written = 0;
  while (written < room.size() && has_output()) {
    if (stream_.has_pending()) {
      written += stream_.take(room.subspan(written));
      continue;
    }
    Transaction& current = flight_.at(flight_.sending());
    if (current.step == Step::end_of_data) {
      write_end_of_data(current);
      continue;
    }
    const Bytes view = write_content(current, room, written);
    if (!view.empty()) {
      return view;
    }
  }
  return {room.data(), written};
}

// Content goes into the room piece by piece, stuffed on the way. A long stretch that needs no
// stuffing is returned as it stands in the message, for TLS to read from there; that needs an empty
// room.
Bytes Session::write_content(Transaction& current, std::span<char> room, std::size_t& written) {
  const Content& content = current.message->content;
  const Bytes piece = content.piece(current.piece);
  const std::size_t left = piece.size() - current.cursor.offset;
  const bool plain = current.chunked || !content.piece_needs_stuffing(current.piece);
  const std::size_t offset_before = current.cursor.offset;
  std::size_t taken = 0;
  Bytes view;
  if (plain && written == 0 && left > room.size() && left >= view_bytes_min) {
    taken = room.size();
    view = piece.substr(current.cursor.offset, taken);
    current.cursor.offset += taken;
  } else if (plain) {
    taken = std::min(left, room.size() - written);
    piece.copy(room.data() + written, taken, current.cursor.offset);
    current.cursor.offset += taken;
    written += taken;
  } else {
    taken = codec::stuff(piece, current.cursor, room.subspan(written));
    written += taken;
  }
  stream_.note_output(taken);
  current.content_taken += current.cursor.offset - offset_before;
  if (current.cursor.offset == piece.size()) {
    if (current.piece + 1 == content.piece_count()) {
      end_content(current);
    } else {
      current.begin_piece();
    }
  }
  return view;
}

// To the commands, as it is: its first octets, and never all of it.
void Session::append_content(Transaction& current, std::size_t count) {
  const Content& content = current.message->content;
  while (count > 0) {
    const Bytes octets = content.piece(current.piece).substr(current.cursor.offset, count);
    stream_.pending().append(octets);
    count -= octets.size();
    current.cursor.offset += octets.size();
    current.content_taken += octets.size();
    if (current.cursor.offset == content.piece(current.piece).size()) {
      current.begin_piece();
    }
  }
}

void Session::end_content(Transaction& current) {
  current.step = Step::end_of_data;
  if (current.chunked && !current.message->content.traits().has_open_line()) {
    write_end_of_data(current);
  }
}

void Session::write_end_of_data(Transaction& current) {
  if (!current.lone_dot && current.message->content.traits().has_open_line()) {
    stream_.pending().append("\r\n");
  }
  if (!current.chunked) {
    stream_.pending().append(".\r\n");
  }
  current.end_offset = stream_.written_offset();
  current.step = Step::sent;
  flight_.advance();
}

// Puts the next command, or group of commands, behind what is pending. False: it must wait.
bool Session::write_commands() {
  if (state_ != SessionState::ready || last_word_) {
    return false;
  }
  bool wrote = false;
  while (!flight_.all_sent() && write_command(flight_.next())) {
    wrote = true;
  }
  if (quit_wanted_ && !ending_ && flight_.done() == flight_.begun() && stream_.awaited().empty() &&
      !wrote) {
    state_ = SessionState::quitting;
    codec::append_quit(stream_.pending());
    stream_.expect(Expected::quit);
    return true;
  }
  return wrote;
}

bool Session::write_command(Transaction& current) {
  const bool free = stream_.awaited().empty();
  switch (current.step) {
    case Step::mail:
      return (free || may_run_ahead(current)) && write_mail(current);
    case Step::rcpt:
      return (free || way_of(current) != Pipelining::off) && write_rcpt(current);
    case Step::data:
      return write_data(current);
    case Step::await_data:
    case Step::await_chunk:
    case Step::content:
    case Step::end_of_data:
    case Step::sent:
      return false;
  }
  return false;
}

bool Session::write_mail(Transaction& current) {
  if (ending_) {
    return false;
  }
  begin_trial(current);
  if (reset_needed_) {
    reset_needed_ = false;
    codec::append_rset(stream_.pending());
    stream_.expect(Expected::rset, flight_.sending());
    if (way_of(current) == Pipelining::off) {
      return true;
    }
  }
  const Message& message = *current.message;
  codec::MailParameters parameters;
  parameters.size_bytes =
      traits_.capabilities().size ? current.header.size() + message_bytes(message) : 0;
  parameters.body_8bit = message.content.traits().has_8bit;
  parameters.smtputf8 = message.needs_smtputf8;
  parameters.dsn = traits_.capabilities().dsn && current.delivery->may_ask_dsn;
  codec::append_mail(stream_.pending(), message.sender, parameters, message.dsn);
  stream_.expect(Expected::mail, flight_.sending());
  current.step = Step::rcpt;
  return true;
}

bool Session::write_rcpt(Transaction& current) {
  const Delivery& delivery = *current.delivery;
  const std::uint32_t index = current.next_recipient;
  const bool may_ask_dsn = traits_.capabilities().dsn && delivery.may_ask_dsn;
  const Bytes notify = may_ask_dsn ? Bytes(current.message->dsn.notify) : Bytes();
  codec::append_rcpt(stream_.pending(), delivery.address(index), notify);
  stream_.expect(Expected::rcpt, flight_.sending(), index);
  current.skip_to_next_recipient();
  if (current.next_recipient == current.recipients_end) {
    current.step = Step::data;
  }
  return true;
}

bool Session::write_data(Transaction& current) {
  const Pipelining way = way_of(current);
  const bool free = stream_.awaited().empty();
  if (way == Pipelining::flights) {
    const bool ahead = on_trial(current) && trial_->ran_ahead && !current.chunk_tried;
    if (!free && !ahead && flight_.next_goes_alone()) {
      return false;
    }
    if (on_trial(current) && !current.chunk_tried && current.first_chunk_bytes() > 0) {
      write_first_chunk(current);
      return true;
    }
    if (on_trial(current) && free) {
      pass_trial();  // it has no octets that could go first
    }
    write_bdat(current);
    return true;
  }
  if (!free && way == Pipelining::off) {
    return false;
  }
  codec::append_data(stream_.pending());
  stream_.expect(Expected::data, flight_.sending());
  current.step = Step::await_data;
  return true;
}

// RFC 3030 2. The reply is awaited from here on; it answers the content, too.
void Session::write_bdat(Transaction& current) {
  const Message& message = *current.message;
  current.chunked = true;
  codec::append_bdat_last(stream_.pending(),
                          current.header.size() + message_bytes(message) - current.content_taken);
  stream_.pending().append(current.header);
  stream_.expect(Expected::end_of_data, flight_.sending());
  current.step = Step::content;
  if (current.content_taken == message.content.bytes()) {
    end_content(current);
  }
  // A transaction whose recipients were all refused stays open behind its BDAT, and the next MAIL
  // would be refused but its BDAT accepted, under this sender (seen with Exim 4.96).
  reset_needed_ = true;
}

void Session::about_to_hand_over(std::uint64_t offset) {
  RP_ASSERT(offset <= stream_.output_offset());
  while (const Transaction* current = flight_.announce(offset)) {
    if (!current->lone_dot) {
      listener_.on_end_of_data(*current->delivery, current->recipients_begin,
                               current->recipients_end);
    }
  }
}

void Session::handed_over(std::uint64_t offset, Instant now) {
  const std::uint64_t before = stream_.handed_over_offset();
  stream_.hand_over(offset);
  if (offset == before) {
    return;  // TLS had something to say: no reason to wait any longer for the server
  }
  flight_.note_left(offset, now);
  if (step_clock_) {
    step_clock_->left(offset, now);
  }
  if (closed()) {
    return;
  }
  finish_answered();
  // The clock runs from the moment when the command whose reply is next, or the latest piece of
  // content, left. What is sent behind it does not put it back.
  const bool waits_already =
      !stream_.awaited().empty() && !flight_.is_early(stream_.awaited().front(), before);
  if (!waits_already) {
    waits_since_ = now;
    set_deadline(now);
  }
}

// ---- Endings -----------------------------------------------------------------------------------

void Session::decide(Transaction& current, std::uint32_t index, const Verdict& verdict) {
  current.delivery->recipients[index].progress = RecipientProgress::refused;
  listener_.on_verdict(*current.delivery, index, verdict);
}

// For every recipient of the transaction that has had no verdict.
void Session::decide_all(Transaction& current, const Verdict& verdict) {
  for (std::uint32_t i = current.recipients_begin; i < current.recipients_end; ++i) {
    const RecipientProgress progress = current.delivery->recipients[i].progress;
    if (progress == RecipientProgress::offered || progress == RecipientProgress::taken) {
      decide(current, i, verdict);
    }
  }
}

void Session::finish(Transaction& current) {
  RP_ASSERT(&current == &flight_.front());
  Delivery& delivery = flight_.pop();
  crowded_ = false;
  quit_wanted_ = quit_wanted_ || (reset_needed_ && traits_.knowledge().reset_unknown);
  bear_out_silence();
  listener_.on_delivery_done(delivery);
}

// A message that no recipient was taken for, and whose content was not asked for yet, ends here.
void Session::finish_if_pointless(Transaction& current) {
  const bool refused = current.mail_refused || (current.step == Step::data && current.taken == 0);
  const bool unasked = current.step == Step::rcpt || current.step == Step::data;
  if (refused && unasked && stream_.awaited().empty()) {
    reset_needed_ = reset_needed_ || current.may_be_open();
    recipients_left_open_ = current.taken > 0;
    finish_transaction(current);
  }
}

// Messages whose BDAT was refused before their content had left: it has, now.
void Session::finish_answered() {
  while (!flight_.empty()) {
    Transaction& current = flight_.front();
    const bool left = stream_.has_left(current.end_offset);
    if (!current.answered || !left) {
      return;
    }
    finish(current);
  }
}

// Whether the server may have taken a message that it has not answered.
bool Session::in_doubt(const Transaction& current, const CloseReason& reason, bool first) const {
  // A lone dot ends a message for nobody.
  const bool handed_over = !current.lone_dot && stream_.has_left(current.end_offset);
  if (!handed_over || reason.kind != CloseKind::peer_closing) {
    return handed_over;
  }
  // A server does one thing after the other, and 421 is the last (RFC 5321 3.8): what stands behind
  // the command that it answers was not looked at.
  return first && !stream_.awaited().empty() &&
         stream_.awaited().front().kind == Expected::end_of_data;
}

void Session::close(CloseReason reason) {
  RP_ASSERT(!closed());
  opening_.explain(reason);
  judge_trial(reason);
  if (!reason.of_trial) {
    reason.fall_back = fall_back(reason);
  }
  if (reason.fall_back) {
    traits_.fall_back(*reason.fall_back);
  } else if (reason.doubted) {
    traits_.note_news();
  } else {
    learn_from_end(reason);
  }
  state_ = SessionState::closed;
  flight_.end();
  deadline_ = never;
  stream_.drop_pending();
  const std::string reason_text = reason.message();
  release_front(&reason);
  const std::uint64_t first = flight_.done();
  while (!flight_.empty()) {
    Transaction& current = flight_.front();
    const bool is_first = flight_.done() == first;
    const bool doubt = in_doubt(current, reason, is_first);
    const Stage stage = stage_of_message(flight_.done());
    Verdict verdict = verdict_of_loss(stage, doubt, reason, reason_text);
    verdict.too_fast = is_first && reason.too_fast;
    verdict.was_next = is_first && !stream_.awaited().empty() && !reason.after_refusals &&
                       stream_.awaited().front().sent_offset <= stream_.handed_over_offset();
    decide_all(current, verdict);
    finish(current);
  }
  listener_.on_closed(reason);
}

void Session::close_with_reply(CloseKind kind, Stage stage, const codec::Reply& reply,
                               bool permanent) {
  close(reason_with_reply(kind, stage, reply, permanent));
}

void Session::close_on_protocol_error(std::string_view detail) {
  close(reason_of(CloseKind::protocol_error, stage_under_way(), detail));
}

void Session::close_on_protocol_error(std::string_view detail, const codec::Reply& reply) {
  std::string words = std::to_string(reply.code);
  words.append(reply.text.empty() ? "" : " ").append(reply.text);
  close_on_protocol_error(std::string(detail) + ": " + opening_.quote(words));
}

void Session::transport_closed(CloseReason reason) {
  if (closed()) {
    return;
  }
  // However it comes: Exim says its last words in clear, behind the end of TLS.
  if (last_word_ && (reason.kind == CloseKind::peer_closed || reason.kind == CloseKind::io_error ||
                     reason.kind == CloseKind::tls_failed)) {
    reason = *last_word_;
  }
  const bool by_peer = reason.kind == CloseKind::peer_closed || reason.kind == CloseKind::io_error;
  // Its last word where it says so itself: behind any other refusal messages may have been taken
  // whose answers were lost with the connection.
  if (refused_mail_ && by_peer && says_pipelining(refused_mail_->text)) {
    reason = reason_with_reply(CloseKind::peer_closing, Stage::mail, refused_mail_->reply(), false);
  }
  if (full_word_ && by_peer) {
    reason = *full_word_;
  }
  if (state_ == SessionState::quitting && reason.kind != CloseKind::aborted) {
    reason.kind = CloseKind::quit;  // whichever way it ends, nothing is lost
  }
  if (reason.stage == Stage::local) {
    reason.stage = stage_under_way();
  }
  close(std::move(reason));
}

void Session::abort() {
  if (!closed()) {
    transport_closed(reason_of(CloseKind::aborted, Stage::local));
  }
}

void Session::quit(Instant now) {
  quit_wanted_ = true;
  if (closed()) {
    return;
  }
  if (state_ < SessionState::ready) {
    close(reason_of(CloseKind::quit, Stage::local));
  } else if (stream_.awaited().empty()) {
    set_deadline(now);
  }
}

}  // namespace ringpost::protocol
