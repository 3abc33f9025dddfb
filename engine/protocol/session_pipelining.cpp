// How far the session runs ahead, and what it learns of the server by that. See pipelining.h and
// session.cpp.
#include <algorithm>
#include <functional>

#include "engine/protocol/session.h"

namespace ringpost::protocol {

namespace {

// Never 0.
std::size_t hash_of(Bytes text) { return std::hash<Bytes>{}(text) | 1u; }

}  // namespace

Pipelining Session::pipelining() const {
  if (!capabilities_.pipelining) {
    return Pipelining::off;
  }
  Pipelining way = std::min(options_.pipelining, knowledge_.most);
  if (way == Pipelining::flights && !capabilities_.chunking) {
    way = Pipelining::across;
  }
  const bool one_by_one = options_.messages_in_flight_max == 1;
  return way == Pipelining::across && one_by_one ? Pipelining::within : way;
}

// How many messages may be in flight now.
std::size_t Session::depth() const {
  switch (pipelining()) {
    case Pipelining::off:
    case Pipelining::within:
      return 1;
    case Pipelining::across:
      return 2;
    case Pipelining::flights:
      break;
  }
  if (goes_alone(sequence_begin_)) {
    return 1;
  }
  const std::uint32_t wanted = options_.messages_in_flight_max;
  std::size_t most = wanted == 0 ? limits::flight_messages_max : wanted;
  if (knowledge_.session_messages != 0) {
    most = std::min<std::size_t>(most, knowledge_.session_messages - sequence_begin_);
  }
  if (knowledge_.proven != Pipelining::flights) {
    return std::min(most, flight_messages_unproven);
  }
  return wanted == 0 ? std::min(most, std::max(flight_depth_, flight_messages_first)) : most;
}

// Whether the message's BDAT waits for the replies to its envelope, and nothing follows it before
// its own: because the server may not know BDAT, or end the session here.
bool Session::goes_alone(std::uint64_t sequence) const {
  const std::uint64_t limit = knowledge_.session_messages;
  return !knowledge_.chunking_proven || (limit != 0 && sequence >= limit);
}

// What later sessions with this server should not try again, after this one has ended so.
std::optional<Pipelining> Session::fall_back(CloseKind kind) const {
  const Pipelining way = pipelining();
  // Two commands have left, and their replies are awaited.
  const bool in_burst = state_ == SessionState::ready && awaited_.size() > 1 &&
                        awaited_.at(1).sent_offset <= handed_over_offset_;
  // The last of a flight is awaited.
  const bool ends_burst = state_ == SessionState::ready && !awaited_.empty() &&
                          awaited_.front().kind == Expected::end_of_data &&
                          !is_early(awaited_.front(), credited_offset_);
  if (kind == CloseKind::chunking_refused) {
    return Pipelining::across;
  }
  if (kind == CloseKind::protocol_error && way != Pipelining::off && ends_burst) {
    return one_less(way);
  }
  if (!in_burst || way == Pipelining::off) {
    return std::nullopt;
  }
  if (kind == CloseKind::protocol_error) {
    return one_less(way);
  }
  if (kind != CloseKind::peer_closed && kind != CloseKind::io_error) {
    return std::nullopt;
  }
  // Closed in the middle of what it has never been seen to answer. Connections die of other causes,
  // too; but those seldom meet just that.
  const Expected front = awaited_.front().kind;
  const bool first_burst =
      knowledge_.proven == Pipelining::off && (front == Expected::mail || front == Expected::rset);
  if (first_burst) {
    return Pipelining::off;
  }
  const bool several = messages_in_flight() > 1 && way >= Pipelining::across;
  if (several && knowledge_.proven < way) {
    return one_less(way);
  }
  return std::nullopt;
}

// Whether the end may be that of a server which takes only so many messages a session.
bool Session::ended_in_flight(CloseKind kind) const {
  const bool by_peer = kind == CloseKind::peer_closed || kind == CloseKind::peer_closing ||
                       kind == CloseKind::io_error;
  return by_peer && state_ == SessionState::ready && pipelining() == Pipelining::flights &&
         sequence_begin_ > 0 && messages_in_flight() > 0;
}

void Session::learn_from_accepted(const Transaction& current, const codec::Reply& reply) {
  if (accepted_text_ == 0) {
    accepted_text_ = hash_of(reply.text);
    learn_reset_text();
  }
  if (!current.chunked) {
    return;
  }
  if (knowledge_.session_messages != 0 && sequence_begin_ >= knowledge_.session_messages) {
    knowledge_.session_messages = 0;
  }
  knowledge_.chunking_proven = true;
  if (knowledge_.proven != Pipelining::flights) {
    knowledge_.proven = current.ran_ahead ? Pipelining::flights : knowledge_.proven;
    return;
  }
  // One more for each message of a flight that was full: flights double while they keep step.
  if (sequence_begin_ < full_flight_end_) {
    flight_depth_ =
        std::min(std::max(flight_depth_, flight_messages_first) + 1, limits::flight_messages_max);
  }
}

// Whether the command left together with the one before or behind it, so that its reply may be one
// that belongs to the other.
bool Session::left_in_burst(const Expectation& expectation) const {
  return awaited_.size() > 1 || !is_early(expectation, credited_offset_);
}

void Session::note_reset_text(const codec::Reply& reply) {
  reset_text_ = hash_of(reply.text);
  learn_reset_text();
}

void Session::learn_reset_text() {
  if (reset_text_ != 0 && accepted_text_ != 0 && accepted_text_ != reset_text_) {
    knowledge_.reset_text = reset_text_;
  }
}

// In a flight RSET is what stands behind a BDAT. Its reply is a 250, too; but a server that gives
// each message a queue id never says the same to both. A session that has heard neither yet goes by
// what earlier ones have heard.
bool Session::answers_reset(const codec::Reply& reply) const {
  const bool one_for_all = accepted_text_ != 0 && accepted_text_ == reset_text_;
  return knowledge_.reset_text != 0 && !one_for_all && hash_of(reply.text) == knowledge_.reset_text;
}

}  // namespace ringpost::protocol
