// How far the session runs ahead, and what its endings and acceptances tell of the server: the
// words for that are ServerTraits', the bounds are Flight's. See pipelining.h and session.cpp.
#include <algorithm>
#include <optional>

#include "engine/protocol/reply_scope.h"
#include "engine/protocol/session.h"

namespace ringpost::protocol {

// The way that this message goes. Once a chunk of it has left there is no other, whatever is learnt
// meanwhile (RFC 3030 2).
Pipelining Session::way_of(const Transaction& current) const {
  if (current.chunked || (on_trial(current) && trial_->step == Pipelining::flights)) {
    return Pipelining::flights;
  }
  return current.one_by_one ? Pipelining::off : flight_.way();
}

// Whether its MAIL may leave while the message in front of it has no answer yet.
bool Session::may_run_ahead(const Transaction& current) const {
  return !trial_ && !second_opinion_ &&
         flight_.may_run_ahead(way_of(current), stream_.handed_over_offset());
}

void Session::learn(const PipeliningKnowledge& knowledge) {
  if (!closed()) {
    if (traits_.learn(knowledge)) {
      flight_.note_doubts();
    }
    quit_when_spent();
  }
}

// The session has had what the server takes of one.
void Session::quit_when_spent() {
  const bool messages = flight_.begun() + messages_extra_ >= traits_.messages_max();
  const bool refusals =
      traits_.knowledge().refusals_max != 0 && refusals_ >= traits_.knowledge().refusals_max;
  quit_wanted_ = quit_wanted_ || messages || refusals;
}

// What later sessions with this server should not try again, after this one has ended so.
std::optional<Pipelining> Session::fall_back(const CloseReason& reason) const {
  const CloseKind kind = reason.kind;
  const Pipelining way = flight_.way();
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
                          !flight_.is_early(stream_.awaited().front(), stream_.credited_offset());
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
  if (in_burst && in_silence && way == Pipelining::flights && flight_.size() > 1 &&
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
  if (refusals_ > 0 && flight_.size() > 0) {
    reason.after_refusals = true;
    traits_.note_end_behind_refusals(refusals_, says_too_many_errors(reason.text));
  } else if (flight_.done() > 0 && flight_.size() > 0) {
    traits_.note_end_behind_messages(flight_.done());
  }
}

// No further message, and the end when what is under way has its answers.
void Session::end_when_answered(CloseReason reason) {
  if (!ending_) {
    ending_ = std::make_unique<CloseReason>(std::move(reason));
  }
}

void Session::learn_from_accepted(const Transaction& current) {
  traits_.note_passed(flight_.done());
  if (!current.chunked) {
    return;
  }
  chunks_taken_ = true;
  traits_.prove_chunking();
  if (!traits_.has_proven(Pipelining::flights)) {
    return;
  }
  if (flight_.has_come_back()) {
    traits_.prove_several();
  }
  flight_.grow();
}

// Whether the command left together with the one before or behind it, so that its reply may be one
// that belongs to the other.
bool Session::left_in_burst(const Expectation& expectation) const {
  return stream_.awaited().size() > 1 || !flight_.is_early(expectation, stream_.credited_offset());
}

}  // namespace ringpost::protocol
