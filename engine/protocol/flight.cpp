// The problem: the more messages are under way, the fewer round trips they cost, and the more of
// them are in doubt when the session dies. How many there may be depends on what the server has
// shown, on what it takes of a session, and on the other sessions with it.
//
// The idea: numbers that only grow: messages done, sending, begun. A flight is the span between
// them in a ring, and every bound is one on the number behind it. Limits: it asks for no reply and
// judges none; a way on trial is the session's matter (session_trial.cpp).
#include "engine/protocol/flight.h"

#include <algorithm>

#include <ringpost/limits.h>

namespace ringpost::protocol {

namespace {

// Of the first chunk: enough for most first lines.
constexpr std::size_t first_chunk_bytes_max = 64;

}  // namespace

// ---- One of them -------------------------------------------------------------------------------

void Transaction::offer(std::uint32_t recipients_max) {
  const auto count = static_cast<std::uint32_t>(delivery->size());
  std::uint32_t index = 0;
  for (; index < count && offered < recipients_max; ++index) {
    Recipient& recipient = delivery->recipients[index];
    if (recipient.decided || recipient.postponed) {
      continue;
    }
    if (offered == 0) {
      recipients_begin = index;
    }
    recipient.progress = RecipientProgress::offered;
    ++offered;
  }
  RP_ASSERT(offered > 0);
  recipients_end = index;
  next_recipient = recipients_begin;
  for (; index < count; ++index) {
    delivery->recipients[index].progress = RecipientProgress::waiting;
  }
}

void Transaction::skip_to_next_recipient() {
  ++next_recipient;
  while (next_recipient < recipients_end &&
         delivery->recipients[next_recipient].progress != RecipientProgress::offered) {
    ++next_recipient;
  }
}

Transaction Transaction::in_lock_step() {
  Transaction again;
  again.delivery = delivery;
  again.message = message;
  again.recipients_begin = recipients_begin;
  again.recipients_end = recipients_end;
  again.offered = offered;
  again.one_by_one = true;
  again.chunk_tried = true;
  again.header = std::move(header);
  for (std::uint32_t i = recipients_end; i-- > recipients_begin;) {
    Recipient& recipient = delivery->recipients[i];
    const bool undecided = recipient.progress == RecipientProgress::offered ||
                           recipient.progress == RecipientProgress::taken;
    if (undecided) {
      recipient.progress = RecipientProgress::offered;
      again.next_recipient = i;
    }
  }
  return again;
}

void Transaction::begin_piece() {
  ++piece;
  cursor = {};
  cursor.begins_line = message->content.piece_begins_line(piece);
}

std::size_t Transaction::first_chunk_bytes() const {
  const ContentTraits& content = message->content.traits();
  const std::size_t line_bytes =
      header.empty() ? content.first_line_bytes : header.find_first_of("\r\n");
  const std::size_t whole = header.size() + content.bytes;
  return std::min(std::min(line_bytes, first_chunk_bytes_max), whole == 0 ? 0 : whole - 1);
}

// ---- Those in flight ---------------------------------------------------------------------------

Transaction& Flight::add(Delivery& delivery, std::uint32_t recipients_max) {
  Transaction& added = new_slot();
  added.delivery = &delivery;
  added.message = delivery.message;
  added.offer(recipients_max);
  recipients_ += added.offered;
  ++begun_;
  content_bytes_ += added.message->content.bytes();
  if (size() == depth()) {
    full_flight_end_ = begun_;
  }
  frontier_->begun(*this, begun_);
  return added;
}

// Behind the last one.
Transaction& Flight::new_slot() {
  if (size() == ring_.size()) {
    std::vector<Transaction> larger(ring_.size() * 2);
    for (std::uint64_t number = done_; number != begun_; ++number) {
      larger[number & (larger.size() - 1)] = at(number);
    }
    ring_ = std::move(larger);
  }
  Transaction& slot = at(begun_);
  slot = Transaction{};
  return slot;
}

void Flight::restart(Transaction again) {
  front() = std::move(again);
  sending_ = done_;
  announced_ = left_ = done_;
}

Delivery& Flight::pop() {
  Transaction& over = front();
  Delivery& delivery = *over.delivery;
  content_bytes_ -= over.message->content.bytes();
  last_left_at_ = over.left_at;
  over.delivery = nullptr;
  over.message = nullptr;
  recipients_ -= over.offered;
  if (sending_ == done_) {
    ++sending_;
  }
  ++done_;
  if (!over_) {
    frontier_->answered(*this, done_, begun_);
  }
  return delivery;
}

const Transaction* Flight::announce(std::uint64_t offset) {
  announced_ = std::max(announced_, done_);
  if (announced_ == begun_) {
    return nullptr;
  }
  const Transaction& next = at(announced_);
  if (next.end_offset == 0 || next.end_offset > offset) {
    return nullptr;
  }
  ++announced_;
  return &next;
}

void Flight::note_left(std::uint64_t offset, Instant now) {
  left_ = std::max(left_, done_);
  while (left_ != begun_ && at(left_).end_offset != 0 && at(left_).end_offset <= offset) {
    at(left_).left_at = now;
    ++left_;
  }
}

void Flight::end() {
  over_ = true;
  frontier_->ended(*this);
}

// ---- What may leave ----------------------------------------------------------------------------

Pipelining Flight::way() const {
  const Pipelining most = traits_.pipelining();
  if (traits_.knowledge().doubts.steps != 0) {
    for (Pipelining step = Pipelining::within; step <= most; step = one_more(step)) {
      if (stays_below(step)) {
        return one_less(step);
      }
    }
  }
  return most;
}

// The session that was chosen for trying it has done one message below it; the others wait for what
// comes of it, but not for ever, since they may be another worker's and not hear of it.
bool Flight::stays_below(Pipelining step) const {
  constexpr std::uint64_t messages_of_others = 32;
  const bool is_next = (traits_.knowledge().doubts.next & bit_of(step)) != 0;
  return traits_.is_doubted(step) && done_ - doubts_since_ < (is_next ? 1 : messages_of_others);
}

bool Flight::has_room() const {
  return size() < depth() && (size() < 2 || content_bytes_ < options_.flight_bytes_max);
}

std::uint32_t Flight::recipients_room(std::uint32_t refusals) const {
  const std::uint32_t most = traits_.recipients_max();
  const std::uint32_t refusals_max = traits_.knowledge().refusals_max;
  if (refusals_max == 0) {
    return most;
  }
  // Each of those in flight may be refused, too.
  const std::uint64_t spent = refusals + recipients_;
  std::uint64_t left = refusals_max > spent ? refusals_max - spent : 0;
  const Pipelining way = traits_.pipelining();
  if (way != Pipelining::off && !traits_.has_proven(way)) {
    left = left > 2 ? (left - 1) / 2 : left;  // a trial: see ServerTraits::pipelining()
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(most, left));
}

bool Flight::may_run_ahead(Pipelining way, std::uint64_t handed_over) const {
  if (way < Pipelining::across) {
    return false;
  }
  const Transaction& front = before_next();
  const bool behind_one = sending_ != done_;
  // What comes with a final dot is a DATA group's matter; and were it refused, octets of a chunk
  // would be read as commands. A session changes from one to the other once.
  if (behind_one && !front.chunked && way == Pipelining::flights) {
    return false;
  }
  if (traits_.has_proven(way)) {
    return true;
  }
  // A trial of it. That is one only where both leave together.
  const bool together = behind_one && front.end_offset != 0 && front.end_offset > handed_over;
  const bool step_below =
      way == Pipelining::flights
          ? traits_.knowledge().chunking_proven && next().first_chunk_bytes() > 0
          : traits_.has_proven(Pipelining::within) && !front.chunked;
  return together && step_below;
}

// How many messages may be in flight now.
std::size_t Flight::depth() const {
  switch (way()) {
    case Pipelining::off:
    case Pipelining::within:
      return 1;
    case Pipelining::across:
      return 2;
    case Pipelining::flights:
      break;
  }
  const std::uint64_t room = frontier_->room(*this, done_);
  return static_cast<std::size_t>(std::min<std::uint64_t>(depth_alone(), room));
}

// The same, were there no other sessions.
std::size_t Flight::depth_alone() const {
  const std::uint64_t limit = traits_.knowledge().session_messages;
  if (limit != 0 && done_ >= limit) {
    return 1;
  }
  const std::uint32_t wanted = options_.messages_in_flight_max;
  std::size_t most = wanted == 0 ? limits::flight_messages_max : wanted;
  if (limit != 0) {
    most = std::min<std::size_t>(most, limit - done_);
  }
  if (!traits_.has_proven(Pipelining::flights)) {
    return std::min(most, messages_unproven);
  }
  return wanted == 0 ? std::min(most, std::max(grown_depth_, messages_first)) : most;
}

bool Flight::next_goes_alone() const {
  const std::uint64_t limit = traits_.knowledge().session_messages;
  return !traits_.has_proven(Pipelining::flights) || (limit != 0 && sending_ >= limit) ||
         traits_.waits_for_words(sending_, sending_ - done_);
}

// One more for each message of a flight that was full: flights double while they keep step.
void Flight::grow() {
  if (done_ < full_flight_end_) {
    grown_depth_ =
        std::min(std::max(grown_depth_, messages_first) + 1, limits::flight_messages_max);
  }
}

bool Flight::has_come_back() const {
  const bool last = full_flight_end_ != 0 && done_ + 1 == full_flight_end_;
  return last && depth() > messages_unproven;
}

}  // namespace ringpost::protocol
