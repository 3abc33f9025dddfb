// What the session does wrong when chance has decided so. Everything else of it is in step: what it
// says it took it has taken, and the record knows of nothing that it did not take.
#include <algorithm>

#include "tools/sink/smtp_server_session.h"

namespace ringpost::sink {

// Faults in place of obeying are done here, and the stage is over.
SmtpServerSession::StageFault SmtpServerSession::begin_stage(FaultStage stage) {
  StageFault fault;
  fault.kind = dice_.roll(stage);
  if (!fault.kind) {
    return fault;
  }
  fault.stage = stage;
  fault.reply_begin = replies_.size();
  fault.in_place = fault.kind == FaultKind::drop || fault.kind == FaultKind::closing;
  if (fault.in_place) {
    tally_.add(*fault.kind, stage);
    if (fault.kind == FaultKind::drop) {
      drop();
    } else {
      reply(421, "4.3.2", "The sink has had enough");
      tally_.add(Count::messages_deferred, stage == FaultStage::end ? 1 : 0);
      close();
    }
  }
  return fault;
}

// The others are done to what was said, so where nothing was, as behind a BDAT that is followed by
// its content, none is.
void SmtpServerSession::end_stage(const StageFault& fault) {
  if (fault.kind && replies_.size() > fault.reply_begin && phase_ != Phase::closed) {
    tally_.add(*fault.kind, fault.stage);
    spoil_reply(fault);
  }
}

void SmtpServerSession::spoil_reply(const StageFault& fault) {
  const std::size_t begin = fault.reply_begin;
  switch (*fault.kind) {
    case FaultKind::drop_reply:
      replies_.cut(begin);
      return drop();
    case FaultKind::half_reply:
      replies_.cut(begin + (replies_.size() - begin) / 2);
      return drop();
    case FaultKind::garbage:
      replies_.cut(begin);
      return replies_.append(dice_.garbage());
    case FaultKind::noise:
      return replies_.insert(begin, dice_.garbage());
    case FaultKind::surplus:
      return reply(250, "2.0.0", "Ok");
    case FaultKind::late:
      return replies_.slow_down(begin, options_.faults.late_by, Duration::zero());
    case FaultKind::trickle:
      return replies_.slow_down(begin, Duration::zero(), options_.faults.octet_time);
    case FaultKind::stall:
      replies_.cut(begin);
      return stall();
    case FaultKind::drop:
    case FaultKind::closing:
      break;
  }
  RP_ASSERT(false);
}

// Faults in the middle of content come when half of it was taken.
void SmtpServerSession::plan_content(std::uint64_t content_bytes) {
  content_fault_ = dice_.roll(FaultStage::content);
  content_fault_in_ = std::max<std::uint64_t>(content_bytes / 2, 1);
}

// As much of the input as may be taken before the fault. Without one, all of it.
Bytes SmtpServerSession::until_content_fault(Bytes input) {
  if (!content_fault_) {
    return input;
  }
  const Bytes taken = input.substr(0, std::min<std::uint64_t>(content_fault_in_, input.size()));
  content_fault_in_ -= taken.size();
  return taken;
}

// Whether it has come.
bool SmtpServerSession::fault_in_content() {
  if (!content_fault_ || content_fault_in_ > 0 || scan_.ended()) {
    return false;
  }
  tally_.add(*content_fault_, FaultStage::content);
  if (*content_fault_ == FaultKind::drop) {
    drop();
  } else {
    stall();
  }
  return true;
}

void SmtpServerSession::drop() {
  const bool with_reset = dice_.ends_with_reset();
  close();
  next_ = with_reset ? Next::reset : Next::drop;
  tally_.add(Count::sessions_reset, with_reset ? 1 : 0);
}

// TLS that STARTTLS has asked for does not begin either.
void SmtpServerSession::stall() {
  abandon_content();
  phase_ = Phase::stalled;
  next_ = Next::receive;
}

}  // namespace ringpost::sink
