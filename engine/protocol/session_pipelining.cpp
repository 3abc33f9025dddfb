// How far the session runs ahead, and what it learns of the server by that. See pipelining.h and
// session.cpp.
#include <algorithm>
#include <optional>

#include "engine/protocol/reply_scope.h"
#include "engine/protocol/session.h"

namespace ringpost::protocol {

Pipelining Session::way() const {
  const Pipelining most = pipelining();
  if (traits_.knowledge().doubts.steps != 0) {
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
  if (traits_.has_proven(way)) {
    return true;
  }
  // A trial of it. That is one only where both leave together.
  const bool together =
      behind_one && front.end_offset != 0 && front.end_offset > stream_.handed_over_offset();
  const bool step_below =
      way == Pipelining::flights
          ? traits_.knowledge().chunking_proven && first_chunk_bytes(current) > 0
          : traits_.has_proven(Pipelining::within) && !front.chunked;
  return together && step_below;
}

// How many recipients another message may have now.
std::uint32_t Session::recipients_room() const {
  const std::uint32_t most = traits_.recipients_max();
  if (traits_.knowledge().refusals_max == 0) {
    return most;
  }
  // Each of those in flight may be refused, too.
  const std::uint64_t spent = refusals_ + recipients_in_flight_;
  std::uint64_t left =
      traits_.knowledge().refusals_max > spent ? traits_.knowledge().refusals_max - spent : 0;
  const Pipelining way = pipelining();
  if (way != Pipelining::off && !traits_.has_proven(way)) {
    left = left > 2 ? (left - 1) / 2 : left;  // a trial: see pipelining()
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(most, left));
}

void Session::learn(const PipeliningKnowledge& knowledge) {
  if (!closed()) {
    doubts_since_ = traits_.learn(knowledge) ? sequence_begin_ : doubts_since_;
    quit_when_spent();
  }
}

// The session has had what the server takes of one.
void Session::quit_when_spent() {
  const bool messages = sequence_end_ + messages_extra_ >= traits_.messages_max();
  const bool refusals =
      traits_.knowledge().refusals_max != 0 && refusals_ >= traits_.knowledge().refusals_max;
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
  const std::uint64_t limit = traits_.knowledge().session_messages;
  if (limit != 0 && sequence_begin_ >= limit) {
    return 1;
  }
  const std::uint32_t wanted = options_.messages_in_flight_max;
  std::size_t most = wanted == 0 ? limits::flight_messages_max : wanted;
  if (limit != 0) {
    most = std::min<std::size_t>(most, limit - sequence_begin_);
  }
  if (!traits_.has_proven(Pipelining::flights)) {
    return std::min(most, flight_messages_unproven);
  }
  return wanted == 0 ? std::min(most, std::max(flight_depth_, flight_messages_first)) : most;
}

// Whether the message's BDAT waits for the replies to its envelope, and nothing follows it before
// its own: because the server may not know BDAT, or end the session here, or its words are not
// known.
bool Session::goes_alone(std::uint64_t sequence) const {
  const std::uint64_t limit = traits_.knowledge().session_messages;
  return !traits_.has_proven(Pipelining::flights) || (limit != 0 && sequence >= limit) ||
         traits_.waits_for_words(sequence, sequence - sequence_begin_);
}

// What later sessions with this server should not try again, after this one has ended so.
std::optional<Pipelining> Session::fall_back(const CloseReason& reason) const {
  const CloseKind kind = reason.kind;
  const Pipelining way = this->way();
  if (traits_.knowledge().reset_unknown && way != Pipelining::off) {
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
      !traits_.knowledge().several_proven) {
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
    traits_.note_end_behind_refusals(refusals_, says_too_many_errors(reason.text));
  } else if (sequence_begin_ > 0 && messages_in_flight() > 0) {
    traits_.note_end_behind_messages(sequence_begin_);
  }
}

// No further message, and the end when what is under way has its answers.
void Session::end_when_answered(CloseReason reason) {
  if (!ending_) {
    ending_ = std::make_unique<CloseReason>(std::move(reason));
  }
}

void Session::learn_from_accepted(const Transaction& current) {
  traits_.note_passed(sequence_begin_);
  if (!current.chunked) {
    return;
  }
  chunks_taken_ = true;
  traits_.prove_chunking();
  if (!traits_.has_proven(Pipelining::flights)) {
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
  if (last_of_flight && depth() > flight_messages_unproven) {
    traits_.prove_several();
  }
}

// Whether the command left together with the one before or behind it, so that its reply may be one
// that belongs to the other.
bool Session::left_in_burst(const Expectation& expectation) const {
  return stream_.awaited().size() > 1 || !is_early(expectation, stream_.credited_offset());
}

}  // namespace ringpost::protocol
