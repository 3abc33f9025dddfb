// How long the session waits, for what, and what it does when that does not come. Deadlines are RFC
// 5321 4.5.3.2's, but for two things that are waited for more shortly: a way of speaking on trial
// (session_trial.cpp), and refusals of recipients that the next session will not ask for.
#include <algorithm>

#include "engine/protocol/session.h"

namespace ringpost::protocol {

namespace {

// For the rest of the refusals, where there is a limit of recipients, and this session exceeded it.
constexpr Duration crowd_patience = std::chrono::seconds(5);

}  // namespace

void Session::set_deadline(Instant now) {
  const SessionTimeouts& timeouts = options_.timeouts;
  if (state_ == SessionState::handshake) {
    deadline_ = never;  // the caller's: the session does not see the handshake
    return;
  }
  if (stream_.awaited().empty()) {
    // The server takes nothing any more, although it has answered everything: the next command is
    // ready and does not leave.
    const bool has_more_to_say = !flight_.empty() || quit_wanted_;
    deadline_ = has_more_to_say ? now + timeouts.command : never;
    return;
  }
  const Expectation& front = stream_.awaited().front();
  Duration patience = timeouts.command;
  switch (front.kind) {
    case Expected::greeting:
      patience = timeouts.greeting;
      break;
    case Expected::data:
      patience = timeouts.data;
      break;
    case Expected::end_of_data:
      patience = flight_.is_early(front, stream_.handed_over_offset()) ? timeouts.content
                                                                       : timeouts.end_of_data;
      break;
    case Expected::quit:
      patience = timeouts.quit;
      break;
    case Expected::ehlo:
    case Expected::helo:
    case Expected::starttls:
    case Expected::auth:
    case Expected::mail:
    case Expected::rcpt:
    case Expected::chunk:
    case Expected::rset:
    case Expected::trial_mail:
    case Expected::trial_other:
      break;
  }
  const bool tried = trial_ && front.transaction == trial_->sequence &&
                     front.kind >= Expected::mail && front.kind != Expected::end_of_data;
  deadline_ = now + (tried ? std::min(patience, trial_patience()) : patience);
  if (may_leave_crowd()) {
    deadline_ = std::min(deadline_, now + crowd_patience);
  }
}

// More recipients than the server takes were asked for in one go, and it takes its time over each
// refusal, as Courier's tarpit does. Nothing that may be taken has left.
bool Session::may_leave_crowd() const {
  if (!crowded_ || stream_.awaited().empty() || stream_.awaited().front().kind != Expected::rcpt) {
    return false;
  }
  for (std::uint64_t number = flight_.done(); number != flight_.begun(); ++number) {
    if (stream_.has_left(flight_.at(number).end_offset)) {
      return false;
    }
  }
  return true;
}

void Session::expire(Instant now) {
  if (closed() || now < deadline_) {
    return;
  }
  if (may_leave_crowd()) {
    // The next session knows how many there may be, and asks for no more.
    CloseReason reason = reason_of(CloseKind::quit, Stage::rcpt);
    reason.after_refusals = true;
    close(std::move(reason));
    return;
  }
  const Stage stage = stage_under_way();
  std::string detail = "no reply to " + std::string(name_of(stage)) + " in time";
  if (stream_.awaited().empty()) {
    detail = stream_.parser().in_reply() ? "a reply to nothing did not end"
                                         : "the server took no octets";
  } else if (stream_.awaited().front().kind == Expected::end_of_data && stage == Stage::data) {
    detail = "the server took no content in time";
  } else if (state_ == SessionState::greeting) {
    detail = stream_.parser().in_reply() ? "no end of the greeting in time" : "no greeting in time";
  }
  transport_closed(reason_of(CloseKind::timeout, stage, detail));
}

// What the session waits for, as a stage; `local` when for nothing of the server's.
Stage Session::stage_under_way() const {
  if (state_ == SessionState::handshake) {
    return Stage::tls;
  }
  if (stream_.awaited().empty()) {
    return flight_.empty() ? Stage::local : stage_of_message(flight_.done());
  }
  const Expectation& front = stream_.awaited().front();
  const bool in_content =
      front.kind == Expected::end_of_data && flight_.is_early(front, stream_.handed_over_offset());
  return in_content ? Stage::data : stage_of(front.kind);
}

// How far a message has come whose end of data was not handed over.
Stage Session::stage_of_message(std::uint64_t sequence) const {
  Stage next = Stage::data;
  switch (flight_.at(sequence).step) {
    case Step::mail:
      next = Stage::mail;
      break;
    case Step::rcpt:
      next = Stage::rcpt;
      break;
    case Step::data:
    case Step::await_data:
    case Step::await_chunk:
    case Step::content:
    case Step::end_of_data:
    case Step::sent:
      break;
  }
  return std::min(stream_.awaited().stage_of_transaction(sequence, next), Stage::data);
}

}  // namespace ringpost::protocol
