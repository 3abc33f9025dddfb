// How far the session runs ahead, and what it learns of the server by that. See pipelining.h and
// session.cpp.
#include <algorithm>
#include <optional>

#include "engine/protocol/reply_scope.h"
#include "engine/protocol/session.h"

namespace ringpost::protocol {

namespace {

std::optional<Saying> saying_of(Expected kind) {
  switch (kind) {
    case Expected::rset:
      return Saying::rset;
    case Expected::mail:
    case Expected::trial_mail:
      return Saying::mail;
    case Expected::rcpt:
      return Saying::rcpt;
    case Expected::end_of_data:
      return Saying::end_of_data;
    case Expected::greeting:
    case Expected::ehlo:
    case Expected::helo:
    case Expected::starttls:
    case Expected::auth:
    case Expected::data:
    case Expected::chunk:
    case Expected::quit:
    case Expected::trial_other:
      break;
  }
  return std::nullopt;
}

// 0 is no limit. Without a branch, since every reply asks.
std::uint64_t smaller_limit(std::uint64_t a, std::uint64_t b) {
  return std::min(a - 1, b - 1) + 1;  // 0 becomes the largest number, and again 0
}

}  // namespace

// Called when knowledge has changed.
void Session::note_news() {
  ++knowledge_version_;
  pipelining_ = pipelining_shown();
}

Pipelining Session::pipelining_shown() const {
  if (!capabilities_.pipelining) {
    return Pipelining::off;
  }
  Pipelining way = std::min(options_.pipelining, knowledge_.most);
  // With fewer messages a session there is no room for a trial.
  constexpr std::uint64_t messages_for_trial = 4;
  const bool shown =
      knowledge_.has_proven(Pipelining::flights) || messages_max() >= messages_for_trial;
  if (way == Pipelining::flights && (!capabilities_.chunking || !shown)) {
    way = Pipelining::across;
  }
  // One refused recipient of a message on trial is refused twice, and its content in between: where
  // a session has no more refusals than that, no trial would ever end.
  constexpr std::uint32_t refusals_of_trial = 3;
  if (knowledge_.refusals_max != 0 && knowledge_.refusals_max < refusals_of_trial) {
    while (way != Pipelining::off && !knowledge_.has_proven(way)) {
      way = one_less(way);
    }
  }
  const bool one_by_one = options_.messages_in_flight_max == 1;
  return way == Pipelining::across && one_by_one ? Pipelining::within : way;
}

Pipelining Session::way() const {
  const Pipelining most = pipelining();
  if (knowledge_.doubts.steps != 0) {
    for (Pipelining step = Pipelining::within; step <= most; step = one_more(step)) {
      if (stays_below(step)) {
        return one_less(step);
      }
    }
  }
  return most;
}

// The way that this message goes. Once a chunk of it has left there is no other, whatever is learnt
// meanwhile (RFC 3030 2).
Pipelining Session::way_of(const Transaction& current) const {
  if (current.chunked || (on_trial(current) && trial_->step == Pipelining::flights)) {
    return Pipelining::flights;
  }
  return current.one_by_one ? Pipelining::off : way();
}

// Whether its MAIL may leave while the message in front of it has no answer yet.
bool Session::may_run_ahead(const Transaction& current) const {
  const Pipelining way = way_of(current);
  if (way < Pipelining::across || trial_ || second_opinion_) {
    return false;
  }
  const Transaction& front = transaction(sequence_sending_ - 1);
  const bool behind_one = sequence_sending_ != sequence_begin_;
  // What comes with a final dot is a DATA group's matter; and were it refused, octets of a chunk
  // would be read as commands. A session changes from one to the other once.
  if (behind_one && !front.chunked && way == Pipelining::flights) {
    return false;
  }
  if (knowledge_.has_proven(way)) {
    return true;
  }
  // A trial of it. That is one only where both leave together.
  const bool together =
      behind_one && front.end_offset != 0 && front.end_offset > stream_.handed_over_offset();
  const bool step_below = way == Pipelining::flights
                              ? knowledge_.chunking_proven && first_chunk_bytes(current) > 0
                              : knowledge_.has_proven(Pipelining::within) && !front.chunked;
  return together && step_below;
}

std::uint64_t Session::messages_max() const {
  const std::uint64_t most = smaller_limit(options_.messages_max, messages_taken_max());
  return most == 0 ? UINT64_MAX : most;
}

// What the server takes a session; 0: nobody knows.
std::uint64_t Session::messages_taken_max() const {
  return smaller_limit(knowledge_.session_messages_max, capabilities_.session_messages_max);
}

// How many recipients another message may have now.
std::uint32_t Session::recipients_room() const {
  const auto known = smaller_limit(knowledge_.recipients_max, capabilities_.recipients_max);
  const auto most = static_cast<std::uint32_t>(smaller_limit(options_.recipients_max, known));
  if (knowledge_.refusals_max == 0) {
    return most;
  }
  // Each of those in flight may be refused, too.
  const std::uint64_t spent = refusals_ + recipients_in_flight_;
  std::uint64_t left = knowledge_.refusals_max > spent ? knowledge_.refusals_max - spent : 0;
  const Pipelining way = pipelining();
  if (way != Pipelining::off && !knowledge_.has_proven(way)) {
    left = left > 2 ? (left - 1) / 2 : left;  // a trial: see pipelining()
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(most, left));
}

void Session::learn(const PipeliningKnowledge& knowledge) {
  if (!closed()) {
    const bool news = (knowledge.doubts.steps & ~knowledge_.doubts.steps) != 0;
    doubts_since_ = news ? sequence_begin_ : doubts_since_;
    knowledge_.merge(knowledge);
    words_of_others_ = knowledge.words;
    pipelining_ = pipelining_shown();
    quit_when_spent();
  }
}

// The session has had what the server takes of one.
void Session::quit_when_spent() {
  const bool messages = sequence_end_ + messages_extra_ >= messages_max();
  const bool refusals = knowledge_.refusals_max != 0 && refusals_ >= knowledge_.refusals_max;
  quit_wanted_ = quit_wanted_ || messages || refusals;
}

// How many messages may be in flight now.
std::size_t Session::depth() const {
  switch (way()) {
    case Pipelining::off:
    case Pipelining::within:
      return 1;
    case Pipelining::across:
      return 2;
    case Pipelining::flights:
      break;
  }
  const std::uint64_t room = frontier_->room(*this, sequence_begin_);
  return static_cast<std::size_t>(std::min<std::uint64_t>(flight_depth(), room));
}

// The same, were there no other sessions.
std::size_t Session::flight_depth() const {
  const std::uint64_t limit = knowledge_.session_messages;
  if (limit != 0 && sequence_begin_ >= limit) {
    return 1;
  }
  const std::uint32_t wanted = options_.messages_in_flight_max;
  std::size_t most = wanted == 0 ? limits::flight_messages_max : wanted;
  if (limit != 0) {
    most = std::min<std::size_t>(most, limit - sequence_begin_);
  }
  if (!knowledge_.has_proven(Pipelining::flights)) {
    return std::min(most, flight_messages_unproven);
  }
  return wanted == 0 ? std::min(most, std::max(flight_depth_, flight_messages_first)) : most;
}

// Whether the message's BDAT waits for the replies to its envelope, and nothing follows it before
// its own: because the server may not know BDAT, or end the session here, or its words are not
// known.
bool Session::goes_alone(std::uint64_t sequence) const {
  const std::uint64_t limit = knowledge_.session_messages;
  return !knowledge_.has_proven(Pipelining::flights) || (limit != 0 && sequence >= limit) ||
         waits_for_words(sequence);
}

// One thing too many that the server says to an envelope would be taken for the answer to a message
// while its words are not known. The few messages by which they become so do not wait, in the
// session that has shown flights to work and has heard all of them, if they were steady.
bool Session::waits_for_words(std::uint64_t sequence) const {
  // Behind so many it says yes too seldom to be told by that.
  constexpr std::uint64_t messages_for_words = 64;
  if (words_.are_settled() || words_of_others_.are_settled() || sequence >= messages_for_words) {
    return false;
  }
  const std::uint64_t heard = words_.of(Saying::end_of_data).heard;
  return !words_steady_ || heard + (sequence - sequence_begin_) >= Words::settled;
}

// What later sessions with this server should not try again, after this one has ended so.
std::optional<Pipelining> Session::fall_back(const CloseReason& reason) const {
  const CloseKind kind = reason.kind;
  const Pipelining way = this->way();
  if (knowledge_.reset_unknown && way != Pipelining::off) {
    return Pipelining::off;  // transactions of a flight could not be kept apart
  }
  const bool by_peer = kind == CloseKind::peer_closed || kind == CloseKind::io_error ||
                       kind == CloseKind::peer_closing;
  const bool of_the_way = kind == CloseKind::peer_closing && says_pipelining(reason.text);
  if ((refused_mail_ || of_the_way) && way != Pipelining::off && by_peer) {
    return one_less(way);
  }
  // Two commands have left, and their replies are awaited.
  const bool in_burst = state_ == SessionState::ready && stream_.awaited().size() > 1 &&
                        stream_.awaited().at(1).sent_offset <= stream_.handed_over_offset();
  // The last of a flight is awaited.
  const bool ends_burst = state_ == SessionState::ready && !stream_.awaited().empty() &&
                          stream_.awaited().front().kind == Expected::end_of_data &&
                          !is_early(stream_.awaited().front(), stream_.credited_offset());
  const bool surplus = stream_.awaited().empty() && way == Pipelining::flights &&
                       state_ == SessionState::ready && kind == CloseKind::protocol_error;
  if (kind == CloseKind::chunking_refused || surplus) {
    return Pipelining::across;
  }
  if (kind == CloseKind::protocol_error && way != Pipelining::off && ends_burst) {
    return one_less(way);
  }
  if (in_burst && way != Pipelining::off && kind == CloseKind::protocol_error) {
    return one_less(way);
  }
  // Ended in a flight of several whole messages, of which none has ever come back.
  const bool in_silence = kind == CloseKind::peer_closed || kind == CloseKind::io_error;
  if (in_burst && in_silence && way == Pipelining::flights && messages_in_flight() > 1 &&
      !knowledge_.several_proven) {
    return one_less(way);
  }
  return std::nullopt;
}

// What the end of a session says about how much the server takes of one.
void Session::learn_from_end(CloseReason& reason) {
  const bool by_peer = reason.kind == CloseKind::peer_closed ||
                       reason.kind == CloseKind::peer_closing || reason.kind == CloseKind::io_error;
  if (!by_peer || state_ != SessionState::ready) {
    return;
  }
  if (refusals_ > 0 && messages_in_flight() > 0) {
    reason.after_refusals = true;
    // One fewer: it may have been the next one that it did not want to hear.
    const bool known = refusals_ == session_refusals_before_ || says_too_many_errors(reason.text);
    if (known) {
      knowledge_.refusals_max = std::max(1u, refusals_ - 1);
    }
    knowledge_.session_refusals = refusals_;
    note_news();
    return;
  }
  // Behind as many messages as another one, and in front of the next: that is no chance.
  if (sequence_begin_ > 0 && messages_in_flight() > 0) {
    if (session_messages_before_ == sequence_begin_) {
      knowledge_.session_messages_max = sequence_begin_;
    }
    knowledge_.session_messages = sequence_begin_;
    note_news();
  }
}

// No further message, and the end when what is under way has its answers.
void Session::end_when_answered(CloseReason reason) {
  if (!ending_) {
    ending_ = std::make_unique<CloseReason>(std::move(reason));
  }
}

void Session::learn_from_accepted(const Transaction& current) {
  // A first session has had a MAIL or two more than messages: so many more have to pass.
  constexpr std::uint64_t messages_beyond = 2;
  if (knowledge_.session_messages != 0 &&
      sequence_begin_ >= knowledge_.session_messages + messages_beyond) {
    knowledge_.session_messages = 0;
    note_news();
  }
  if (!current.chunked) {
    return;
  }
  chunks_taken_ = true;
  if (!knowledge_.chunking_proven) {
    knowledge_.chunking_proven = true;
    note_news();
  }
  if (!knowledge_.has_proven(Pipelining::flights)) {
    return;
  }
  learn_several();
  // One more for each message of a flight that was full: flights double while they keep step.
  if (sequence_begin_ < full_flight_end_) {
    flight_depth_ =
        std::min(std::max(flight_depth_, flight_messages_first) + 1, limits::flight_messages_max);
  }
}

// Called when the message in front was accepted, which is still in flight.
void Session::learn_several() {
  const bool last_of_flight = full_flight_end_ != 0 && sequence_begin_ + 1 == full_flight_end_;
  if (last_of_flight && depth() > flight_messages_unproven && !knowledge_.several_proven) {
    knowledge_.several_proven = true;
    note_news();
  }
}

// Whether the command left together with the one before or behind it, so that its reply may be one
// that belongs to the other.
bool Session::left_in_burst(const Expectation& expectation) const {
  return stream_.awaited().size() > 1 || !is_early(expectation, stream_.credited_offset());
}

// Notes the words of a reply in which the server says yes. True: they are its words for another
// command, and the reply came in a burst, where a missing or surplus one shifts all behind it.
bool Session::in_words_of_another(Expected kind, const codec::Reply& reply, bool in_burst) {
  const std::optional<Saying> saying = saying_of(kind);
  if (!saying || !reply.positive()) {
    return false;
  }
  // Most servers say the same octets again and again, which need no hash.
  HeldReply& usual = usual_[static_cast<std::size_t>(*saying)];
  if (usual.code == reply.code && usual.enhanced == reply.enhanced && usual.text == reply.text) {
    return false;
  }
  const std::size_t hash = hash_of_words(reply);
  const Words& own = words_.of(*saying);
  if (own.are_settled() && own.hash == hash) {
    if (usual.code == 0) {
      usual = held(Stage::local, 0, reply);
    }
    return false;
  }
  // Among a session's first replies one too many would pass for what the server says otherwise:
  // until enough has been heard, what others have heard tells.
  const bool of_this_make = words_.server == words_of_others_.server;
  const ServerWords& known = of_this_make && !own.are_settled() ? words_of_others_ : words_;
  const bool jokes = of_this_make && words_of_others_.vary();
  if (in_burst && !jokes && known.belongs_elsewhere(*saying, hash)) {
    return true;
  }
  // Of the messages that did not wait for the words to be known: see waits_for_words().
  const bool ran_first = kind == Expected::end_of_data && words_steady_ && !own.are_settled();
  if (in_burst && ran_first && words_.sounds_misplaced(*saying, hash)) {
    return true;
  }
  if (words_.hear(*saying, hash) && words_.are_settled() && !knowledge_.words.are_settled()) {
    knowledge_.words = words_;
    note_news();
  }
  return false;
}

}  // namespace ringpost::protocol
