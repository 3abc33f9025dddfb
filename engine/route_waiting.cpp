// The problem: what waits may have to end without a session: the deadline has come, nobody takes it
// any more, there is no endpoint for it, or whoever submitted it has taken it back. The idea: each
// end is a verdict, which goes to all of a delivery's recipients who are not decided yet, and the
// delivery is reported like any other. Limits: what is decided so takes as many turns as its number
// needs, but for what was taken back, which is looked for in all that waits.
#include <algorithm>

#include "engine/division.h"
#include "engine/route.h"

namespace ringpost::engine {

namespace {

// Deliveries that are decided without a session: as many as one turn may take, the others go on in
// the next.
constexpr std::size_t deliveries_decided_per_turn = 1024;

// How often what waits is searched for what was taken back.
constexpr Duration cancelled_look_every = std::chrono::milliseconds(100);

bool is_taken_back(const Delivery& delivery) {
  return delivery.is_cancellable && delivery.message->is_cancelled();
}

}  // namespace

// Whether or not there is a session that could have taken them.
void Route::expire_waiting(Instant now) {
  const std::optional<protocol::CloseReason> trouble = gate_.trouble();
  for (std::size_t i = 0; i < deliveries_decided_per_turn; ++i) {
    Delivery* const delivery = next_delivery();
    if (delivery == nullptr) {
      return;
    }
    waiting_.pop_front();
    expire(*delivery, protocol::WaitEnd::deadline, trouble);
  }
  try_again_at_ = now;
}

// Of all that waits here, not more often than now and then: clients go by the hundred. What comes
// from a feeder meanwhile is looked at when its turn comes; what other workers may take goes back
// to where they find it.
void Route::look_for_cancelled(Instant now) {
  if (!has_cancelled() || now < look_for_cancelled_at_) {
    return;
  }
  look_for_cancelled_at_ = now + cancelled_look_every;
  cancellations_seen_ = environment_.cancellations->load();
  for (std::size_t unseen = waiting_.size(); unseen > 0; --unseen) {
    Delivery* const delivery = waiting_.front();
    waiting_.pop_front();
    is_taken_back(*delivery) ? end_cancelled(*delivery) : waiting_.push_back(delivery);
  }
  std::vector<Delivery*> queued(deliveries_.size());
  queued.resize(consumer_.take(queued));
  std::erase_if(queued, [this](Delivery* delivery) {
    const bool is_over = is_taken_back(*delivery);
    if (is_over) {
      end_cancelled(*delivery);
    }
    return is_over;
  });
  if (!queued.empty()) {
    queue::DeliveryQueue::Producer(deliveries_).push(queued);
  }
  for (Delivery* const delivery : retries_.take_out(is_taken_back)) {
    note_taken_up(*delivery);
    end_cancelled(*delivery);
  }
}

void Route::end_cancelled(Delivery& delivery) {
  end_wait(delivery, protocol::verdict_of_cancellation(delivery.message->cancellation->reason()));
  report_decided(delivery);
}

// A server that is silent would keep a run for ten minutes behind its deadline.
void Route::end_overdue_sessions() {
  for (Connection* const connection : std::vector<Connection*>(sessions_)) {
    if (!connection->idle()) {
      connection->abort();
    }
  }
}

// With the last reply, where there was one, else with what is wrong with the endpoint.
void Route::expire(Delivery& delivery, protocol::WaitEnd end,
                   const std::optional<protocol::CloseReason>& trouble) {
  std::string text = end == protocol::WaitEnd::over_age ? "its expires_at has passed"
                                                        : "the deadline of the run has passed";
  if (trouble) {
    text += "; the endpoint's last error: " + gate_.place() + ": " + trouble->message();
  }
  end_wait(delivery, protocol::verdict_of_expiry(end, trouble ? &*trouble : nullptr, text));
  report_decided(delivery);
}

// For all who still waited.
void Route::end_wait(Delivery& delivery, const protocol::Verdict& verdict) {
  const Circumstances at = circumstances(delivery, {});
  if (!delivery.is_open) {
    open(delivery, at.now_us);
  }
  for (Recipient& recipient : delivery.active_recipients()) {
    if (!recipient.decided) {
      record(recipient.outcome, verdict, decide_waiting(verdict, history_of(recipient.outcome)),
             at);
      recipient.decided = true;
    }
  }
}

void Route::end_all_waiting(const protocol::CloseReason& reason) {
  while (Delivery* const delivery = take_retry(never)) {
    waiting_.push_back(delivery);
  }
  const std::string text = reason.kind == protocol::CloseKind::aborted
                               ? std::string("the run was stopped before it was sent")
                               : gate_.options().host + ": " + reason.message() + gate_.effort();
  const protocol::Verdict verdict = protocol::verdict_of_no_session(reason, text);
  const bool has_refuge = this->has_refuge(connection_environment_.io->now());
  for (std::size_t i = 0; i < deliveries_decided_per_turn; ++i) {
    Delivery* const delivery = next_delivery();
    if (delivery == nullptr) {
      return;
    }
    waiting_.pop_front();
    if (has_refuge && may_leave(*delivery)) {
      leaving_.push_back(delivery);
      continue;
    }
    end_wait(*delivery, verdict);
    report_decided(*delivery);
  }
  try_again_at_ = connection_environment_.io->now();
}

}  // namespace ringpost::engine
