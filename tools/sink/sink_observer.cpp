// Whatever is done wrong here, everything else of the session is in step: what it says it took it
// has taken, and the record knows of nothing that it did not take.
#include "tools/sink/sink_observer.h"

#include <algorithm>
#include <utility>

namespace ringpost::sink {

namespace {

using server::Answer;
using server::Ending;
using server::StageVerdict;

// Where the client has not said how long its message is, the middle of it is taken to be at half of
// this.
constexpr std::uint64_t content_bytes_guessed = 512;

std::size_t index_of(FaultStage stage) { return static_cast<std::size_t>(stage); }

}  // namespace

SinkObserver::SinkObserver(const FaultOptions& faults, std::uint64_t session, Tally& tally,
                           MessageObserver* messages, ProviderLimits* limits, Bytes host)
    : faults_(faults),
      tally_(tally),
      messages_(messages),
      host_(host),
      dice_(faults.chances, session) {
  if (limits != nullptr) {
    provider_.emplace(*limits, session);
  }
}

SinkObserver::SinkObserver(const FaultOptions& faults, std::uint64_t session, Tally& tally,
                           std::unique_ptr<MessageObserver> messages, ProviderLimits* limits,
                           Bytes host)
    : faults_(faults),
      tally_(tally),
      own_messages_(std::move(messages)),
      messages_(own_messages_.get()),
      host_(host),
      dice_(faults.chances, session) {
  if (limits != nullptr) {
    provider_.emplace(*limits, session);
  }
}

void SinkObserver::on_over() {
  if (provider_) {
    provider_->over();
  }
}

server::Wishes SinkObserver::wishes() const {
  const bool tells = messages_ != nullptr;
  return {.stages = faults_.chances.any(), .envelope = tells, .content = tells};
}

void SinkObserver::on_violation(Violation violation, std::uint64_t amount) {
  violations_[static_cast<std::size_t>(violation)] += amount;
}

// ---- Faults ------------------------------------------------------------------------------------

// Those in place of obeying are done here, and those in the middle of content.
StageVerdict SinkObserver::before_stage(FaultStage stage) {
  std::optional<FaultKind>& fault = coming_[index_of(stage)];
  if (stage != FaultStage::content) {  // that one was rolled when the content began
    if (stage == FaultStage::mail) {
      dice_.begin_message();
    }
    fault = dice_.roll(stage);
  }
  if (fault == FaultKind::drop) {
    tally_.add(*fault, stage);
    return {.ending = drop()};
  }
  if (fault == FaultKind::closing) {
    tally_.add(*fault, stage);
    tally_.add(Count::messages_deferred, stage == FaultStage::end ? 1 : 0);
    return {.answer = {421, "4.3.2", "The sink has had enough"}};
  }
  if (fault && stage == FaultStage::content) {
    tally_.add(*fault, stage);
    return {.ending = Ending::stall};
  }
  return {};
}

// The others are done to what was said, so where nothing was, as behind a BDAT that is followed by
// its content, none is.
StageVerdict SinkObserver::after_stage(FaultStage stage, server::ReplyQueue& replies,
                                       std::size_t begin) {
  const std::optional<FaultKind> fault = coming_[index_of(stage)];
  if (!fault) {
    return {};
  }
  tally_.add(*fault, stage);
  switch (*fault) {
    case FaultKind::drop_reply:
      replies.cut(begin);
      return {.ending = drop()};
    case FaultKind::half_reply:
      replies.cut(begin + (replies.size() - begin) / 2);
      return {.ending = drop()};
    case FaultKind::garbage:
      replies.cut(begin);
      replies.append(dice_.garbage());
      return {};
    case FaultKind::noise:
      replies.insert(begin, dice_.garbage());
      return {};
    case FaultKind::surplus:
      return {.answer = {250, "2.0.0", "Ok"}};
    case FaultKind::late:
      replies.slow_down(begin, faults_.late_by, Duration::zero());
      return {};
    case FaultKind::trickle:
      replies.slow_down(begin, Duration::zero(), faults_.octet_time);
      return {};
    case FaultKind::stall:
      replies.cut(begin);
      return {.ending = Ending::stall};
    case FaultKind::drop:
    case FaultKind::closing:
      break;
  }
  RP_ASSERT(false);
}

Ending SinkObserver::drop() {
  const bool with_reset = dice_.ends_with_reset();
  tally_.add(Count::sessions_reset, with_reset ? 1 : 0);
  return with_reset ? Ending::reset : Ending::drop;
}

// Faults in the middle of content come when half of it was taken.
server::ContentVerdict SinkObserver::on_data(const server::ClientFacts& /*client*/,
                                             std::optional<std::uint64_t> bytes) {
  std::optional<FaultKind>& fault = coming_[index_of(FaultStage::content)];
  fault = dice_.roll(FaultStage::content);
  if (!fault) {
    return {};
  }
  const std::uint64_t half = bytes.value_or(content_bytes_guessed) / 2;
  return {.ask_behind = std::max<std::uint64_t>(half, 1)};
}

// ---- Refusals ----------------------------------------------------------------------------------

Answer SinkObserver::on_greeting(const server::ClientFacts& /*client*/) {
  return provider_ ? provider_->greeting() : Answer{};
}

Answer SinkObserver::on_login(const server::ClientFacts& /*client*/, bool is_right) {
  return provider_ ? provider_->login(is_right) : Answer{};
}

Answer SinkObserver::on_sender(const server::ClientFacts& /*client*/,
                               const server::MailArguments& mail) {
  if (provider_) {
    if (const Answer refusal = provider_->sender(mail); refusal.is_given()) {
      return refusal;
    }
  }
  refusal_at_end_ = Refusal::none;
  switch (refusal_at_mail(mail.local_part)) {
    case Refusal::reject:
      return {550, "5.1.8", "Sender refused, as its address asks"};
    case Refusal::defer:
      return {450, "4.1.8", "Sender deferred, as its address asks"};
    case Refusal::none:
      break;
  }
  return {};
}

Answer SinkObserver::on_recipient(const server::ClientFacts& /*client*/,
                                  const server::RcptArguments& rcpt) {
  if (provider_) {
    if (const Answer refusal = provider_->recipient(); refusal.is_given()) {
      return refusal;
    }
  }
  switch (refusal_at_rcpt(rcpt.local_part)) {
    case Refusal::reject:
      return {550, "5.1.1", "No such user, as its address asks"};
    case Refusal::defer:
      return {450, "4.2.0", "Recipient deferred, as its address asks"};
    case Refusal::none:
      break;
  }
  refusal_at_end_ = std::max(refusal_at_end_, refusal_at_end_of_data(rcpt.local_part));
  return {};
}

// What a provider has no room for it does not look at.
server::Taken SinkObserver::on_message(const server::IncomingMessage& message) {
  const Answer no_room = provider_ ? provider_->message(message.bytes) : Answer{};
  if (!no_room.is_given() && refusal_at_end_ == Refusal::none) {
    record(message);
    return {.answer = provider_ ? provider_->accepted(message, host_) : Answer{}};
  }
  if (messages_ != nullptr) {
    messages_->discarded();
  }
  if (no_room.is_given()) {
    return {.answer = no_room};
  }
  if (refusal_at_end_ == Refusal::reject) {
    return {.answer = {554, "5.7.1", "Message refused, as an address asks"}};
  }
  return {.answer = {451, "4.3.0", "Message deferred, as an address asks"}};
}

void SinkObserver::record(const server::IncomingMessage& message) {
  if (messages_ == nullptr) {
    return;
  }
  const RecipientList& recipients = message.envelope.recipients;
  messages_->accepted({.session = message.client.session,
                       .message = message.number,
                       .queue_id = message.queue_id,
                       .sender = message.envelope.sender,
                       .recipients = recipients.in_front_of(recipients.size()),
                       .bytes = message.bytes,
                       .user = message.client.user,
                       .tls_version = message.client.tls_version,
                       .chunked = message.chunked,
                       .violations = violations_});
}

}  // namespace ringpost::sink
