// The problem: deliveries wait for a session, come back from one that has died, wait for another
// attempt or cannot be sent at all, and none may be lost on the way or be in two places. The idea:
// one look a turn, in one order: a stop or a gate that has failed comes first, then what is due,
// then the deadline, then a delivery for each session with room before any gets its second.
// Outcomes are reported when no session has the delivery any more. Limits: what becomes of an
// attempt that failed is attempt_policy's; the sessions are route_sessions.cpp's, and what is
// decided without one is route_waiting.cpp's.
#include "engine/route.h"

#include <algorithm>
#include <array>

#include "codec/job/delivery_prefetch.h"
#include "codec/smtp/dsn_request.h"
#include "engine/division.h"
#include "engine/pause.h"

namespace ringpost::engine {

namespace {

// Deliveries taken from the queue at once: enough to make the queue cheap, few enough to share with
// other workers.
constexpr std::size_t deliveries_per_take = 16;

// How often a route looks whether its gate is still held.
constexpr Duration held_look_every = std::chrono::milliseconds(50);

// How often a route looks at a rate that allows nothing for long: another worker or process may
// give back what it had taken. A wait that is worth a word.
constexpr Duration quota_look_every = std::chrono::seconds(1);
constexpr Duration quota_wait_said_min = std::chrono::seconds(30);

// So many messages of a worker are between two words about speed that are worth nothing.
constexpr std::uint64_t messages_between_refusals = 200;

// Those that the next transaction is for; before a delivery is opened, all of them.
std::uint64_t undecided_count(const Delivery& delivery) {
  if (!delivery.is_open) {
    return delivery.size();
  }
  const auto recipients = delivery.active_recipients();
  return static_cast<std::uint64_t>(
      std::count_if(recipients.begin(), recipients.end(),
                    [](const Recipient& recipient) { return !recipient.decided; }));
}

// The session was lost in the moment in which it got the message.
bool is_lost_with_others(const Connection& connection, const Delivery& delivery, Instant now) {
  constexpr Duration same_moment = std::chrono::milliseconds(500);
  return connection.ready_at() < delivery.started_at && now - delivery.started_at < same_moment;
}

}  // namespace

Route::Route(const RouteEnvironment& environment, ConnectionEnvironment connection_environment,
             EndpointGate& gate, queue::DeliveryQueue& deliveries, std::uint32_t endpoint_index,
             const RouteLimits& limits)
    : environment_(environment),
      connection_environment_(connection_environment),
      gate_(gate),
      deliveries_(deliveries),
      consumer_(deliveries),
      endpoint_index_(endpoint_index),
      limits_(limits) {
  factor_since_ = connection_environment_.io->now();
  connection_environment_.listener = this;
  connection_environment_.stats = environment_.stats;
  limits_.sockets_max = std::max(limits_.sockets_max, limits_.connections_max);
  places_ = limits_.connections_max;
  const EndpointOptions& options = gate_.options();
  sessions_end_ = options.connection_age_max > Duration::zero();
  ages_ = sessions_end_ || options.connection_idle_max > Duration::zero();
  connection_environment_.link.frontier = &frontier_;
}

void Route::turn(Instant now) {
  if (environment_.route_stats != nullptr) {
    const auto ns = static_cast<std::uint64_t>((now - factor_since_).count());
    environment_.route_stats->held_ns[static_cast<std::size_t>(factor_)].add(ns);
    factor_since_ = now;
  }
  factor_ = act(now);
  publish_counts();
}

// What kept it from doing more.
LimitingFactor Route::act(Instant now) {
  try_again_at_ = never;
  asked_gate_ = false;
  rate_is_used_up_ = false;
  retire_sessions(now);
  if (tls_question_ == TlsQuestion::wanted) {
    ask_for_tls();
  } else if (tls_question_ == TlsQuestion::answered) {
    give_up_silent();
  }
  if (!others_.empty()) {
    watch_circuit(now);
  }
  // In front of every end: whoever is to look, and does not, is awake for ever.
  look_for_cancelled(now);
  if (stopping_) {
    protocol::CloseReason reason;
    reason.kind = protocol::CloseKind::aborted;
    end_all_waiting(reason);
    return LimitingFactor::nothing;
  }
  if (gate_.failed()) {
    end_all_waiting(gate_.failure());
    return LimitingFactor::nothing;
  }
  take_due(now);
  if (now >= deadline()) {
    expire_waiting(now);
    if (now >= environment_.sessions_end_at) {
      end_overdue_sessions();
    }
    return LimitingFactor::nothing;
  }
  if (!others_.empty() && !gate_.held()) {
    let_go(now);
  }
  if (now < break_until_ || gate_.held()) {
    try_again_at_ = std::max(break_until_, now + held_look_every);
    return gate_.held() ? LimitingFactor::output : LimitingFactor::pause;
  }
  const bool is_left = is_left_alone(now);
  if (!is_left) {
    take_trial(now);
    assign(now);
  }
  const bool work_waits = !waiting_.empty() || !deliveries_.empty();
  if (gate_.options().connections_grow) {
    grow(now);
  }
  const bool wants_session = (work_waits && with_room_.empty()) || (is_left && wants_trial(now));
  if (wants_session && may_open()) {
    static_cast<void>(open_session(now));
    level_ = std::max(level_, working());
  }
  if (work_waits && sessions_end_ && !is_left) {
    open_successors(now);
  }
  if (is_left) {
    try_again_at_ = std::min(try_again_at_, now + held_look_every);
    return work_waits ? LimitingFactor::away : LimitingFactor::nothing;
  }
  return factor();
}

LimitingFactor Route::factor() const {
  const bool work_waits = !waiting_.empty() || !deliveries_.empty();
  if (work_waits) {
    const bool has_session = std::any_of(sessions_.begin(), sessions_.end(),
                                         [](const auto* one) { return one->was_ready(); });
    return rate_is_used_up_                      ? LimitingFactor::rate
           : !has_session && gate_.trouble()     ? LimitingFactor::away
           : working() < places_ || !has_session ? LimitingFactor::connections
                                                 : LimitingFactor::replies;
  }
  const bool others_wait = environment_.pool != nullptr && environment_.pool->someone_waits();
  if (with_room_.empty() && !sessions_.empty()) {
    return LimitingFactor::replies;
  }
  return others_wait         ? LimitingFactor::output
         : !retries_.empty() ? LimitingFactor::retries
                             : LimitingFactor::input;
}

bool Route::hungry() const {
  return sends_no_more() || !with_room_.empty() || (may_open() && try_again_at_ == never);
}

bool Route::has_work() const {
  const bool work_waits = !waiting_.empty() || !deliveries_.empty();
  const bool may_act = !with_room_.empty() || (may_open() && !asked_gate_);
  return work_waits && (sends_no_more() || (may_act && try_again_at_ == never));
}

bool Route::sends_no_more() const {
  return stopping_ || gate_.failed() || connection_environment_.io->now() >= deadline();
}

Instant Route::next_turn_at() const {
  const Instant now = connection_environment_.io->now();
  const bool is_over = now >= deadline();
  const Instant sessions_end_at = sessions_.empty() ? never : environment_.sessions_end_at;
  const Instant end = !is_over ? deadline() : now < sessions_end_at ? sessions_end_at : never;
  const bool is_cancelled = has_cancelled();
  return std::min({try_again_at_, retries_.next_due(), end, next_look_at(), look_at_sessions_at_,
                   is_cancelled ? look_for_cancelled_at_ : never});
}

Delivery* Route::next_delivery() {
  if (waiting_.empty()) {
    std::array<Delivery*, deliveries_per_take> taken;
    const std::size_t count = consumer_.take(taken);
    constexpr std::size_t near = 4;  // so far behind its hint a delivery has come
    for (std::size_t i = 0; i < count + near; ++i) {
      if (i < count) {
        prefetch_to_send(*taken[i]);
        waiting_.push_back(taken[i]);
      }
      if (i >= near && i - near < count) {
        codec::prefetch_fate(*taken[i - near]);
        codec::prefetch_texts(*taken[i - near]);
      }
    }
  }
  return waiting_.empty() ? nullptr : waiting_.front();
}

// Breadth first: every session gets a message before one gets its second.
void Route::assign(Instant now) {
  while (!with_room_.empty() || put_on_duty()) {
    Connection& connection = *with_room_.front();
    if (!connection.wants_message()) {
      with_room_.pop_front();
      connection.listed = false;
      continue;
    }
    Delivery* const delivery = next_delivery();
    if (delivery == nullptr) {
      return;
    }
    if (delivery->is_cancellable && delivery->message->is_cancelled()) {
      waiting_.pop_front();
      end_cancelled(*delivery);
      continue;
    }
    if (!gate_.rate().unlimited() && !take_quota(connection, *delivery, now)) {
      return;
    }
    waiting_.pop_front();
    if (give(connection, *delivery, now)) {
      with_room_.pop_front();
      connection.listed = false;
      list(connection);
    }
  }
}

// False: not yet.
bool Route::take_quota(const Connection& connection, const Delivery& delivery, Instant now) {
  // More octets than a rate has in its window count as all of it.
  const QuotaAnswer answer = gate_.rate().take(
      {.recipients = undecided_count(delivery), .octets = delivery.message->content.bytes()}, now);
  if (!answer.is_taken) {
    rate_is_used_up_ = true;
    if (answer.next - now >= quota_wait_said_min) {
      gate_.tell(
          "its rate is used up: what is left waits until it allows more, or for the deadline");
    }
    try_again_at_ =
        std::clamp(answer.next, now + std::chrono::microseconds(100), now + quota_look_every);
    return false;
  }
  // With nothing before it that it would wait for, and all learnt that a first message asks for.
  const bool is_warm = connection.progressed() && connection.idle();
  quota_shares_.insert_or_assign(&delivery,
                                 QuotaShare{answer.ticket, {.in_warm_session = is_warm}});
  return true;
}

// What the server has heard of counts, whatever it said.
void Route::hear_quota(const Delivery& delivery, const protocol::Verdict& verdict) {
  const auto found = quota_shares_.find(&delivery);
  if (found == quota_shares_.end()) {
    return;
  }
  QuotaShare& share = found->second;
  share.has_left =
      share.has_left || verdict.code != 0 || verdict.was_next || verdict.status == Status::unknown;
  share.answer.too_fast += verdict.too_fast ? 1 : 0;
  const bool is_judged = verdict.stage == Stage::eod && verdict.code != 0;
  share.answer.taken += !verdict.too_fast && is_judged ? 1 : 0;
}

// Of an endpoint that has no limit: a word now and then is one server's of many, or a message's.
void Route::hear_too_fast(Delivery& delivery, const protocol::Verdict& verdict, Instant now) {
  delivery.is_too_fast = true;
  if (!gate_.rate().unlimited()) {
    gate_.came_too_fast(verdict.stage, {verdict.code, verdict.enhanced, verdict.text, 1}, now);
    return;
  }
  const std::uint64_t messages = environment_.stats->messages.get();
  const bool is_again =
      messages_at_refusal_ && messages - *messages_at_refusal_ < messages_between_refusals;
  messages_at_refusal_ = messages;
  if (is_again) {
    gate_.rate().begin_to_follow(now);
  }
}

// No session has it any more.
void Route::settle_quota(const Delivery& delivery) {
  const auto found = quota_shares_.find(&delivery);
  if (found == quota_shares_.end()) {
    return;
  }
  if (found->second.has_left) {
    if (gate_.rate().answered(found->second.ticket, connection_environment_.io->now(),
                              found->second.answer)) {
      gate_.tell_found_rate();
    }
  } else {
    gate_.rate().give_back(found->second.ticket);
  }
  quota_shares_.erase(found);
}

// False: the message is over age, and the connection is still free.
bool Route::give(Connection& connection, Delivery& delivery, Instant now) {
  if (delivery.message->expires_at_us != 0 &&
      connection_environment_.io->unix_time_us() >= delivery.message->expires_at_us) {
    settle_quota(delivery);
    expire(delivery, protocol::WaitEnd::over_age, gate_.trouble());
    return false;
  }
  if (delivery.may_ask_dsn && codec::is_requested(delivery.message->dsn) &&
      !connection.knows_dsn()) {
    gate_.left_out_dsn();
  }
  if (!delivery.is_open) {
    open(delivery, connection_environment_.io->unix_time_us());
  }
  delivery.loss_stage = delivery.consignment->loss_stage.load(std::memory_order_relaxed);
  delivery.started_at = now;
  someone_waits_ = true;
  note_given(connection, now);
  connection.submit(delivery);
  note_spent(connection);
  pump_later(connection);
  return true;
}

// Deliveries whose pause is over wait for a session again, all of them when the deadline has come.
void Route::take_due(Instant now) {
  const Instant due = now >= deadline() ? never : now;
  while (Delivery* const delivery = take_retry(due)) {
    for (Recipient& recipient : delivery->active_recipients()) {
      recipient.postponed = false;
    }
    waiting_.push_back(delivery);
  }
}

Delivery* Route::take_retry(Instant due) {
  Delivery* const delivery = retries_.take_due(due);
  if (delivery != nullptr) {
    note_taken_up(*delivery);
  }
  return delivery;
}

// It is not in the schedule any more.
void Route::note_taken_up(const Delivery& delivery) {
  retry_bytes_ -= delivery.budget_bytes;
  retry_messages_ -= &delivery == &delivery.consignment->first ? 1 : 0;
  if (environment_.pool != nullptr) {
    environment_.pool->take_up();
  }
}

void Route::list(Connection& connection) {
  if (connection.listed || connection.in_reserve || !connection.wants_message()) {
    return;
  }
  if (!connection.on_duty) {
    connection.in_reserve = true;
    reserve_.push_back(&connection);
    static_cast<void>(put_on_duty());
    return;
  }
  connection.listed = true;
  with_room_.push_back(&connection);
}

// It may have something to say.
void Route::pump_later(Connection& connection) {
  if (!connection.dirty) {
    connection.dirty = true;
    environment_.dirty->push_back(&connection);
  }
}

// ---- Outcomes
// ------------------------------------------------------------------------------------

AttemptRules Route::attempt_rules() const {
  const EndpointOptions& options = gate_.options();
  return {options.attempts_max, options.retry_pause_first, stopping_};
}

Circumstances Route::circumstances(const Delivery& delivery, Bytes peer) const {
  const io::Io& io = *connection_environment_.io;
  return {endpoint_index_, io.unix_time_us(),     peer,
          io.now(),        delivery.submitted_at, delivery.started_at};
}

// A delivery whose last recipient was reported is gone. So that comes when no session has it any
// more: a session may know all verdicts and still have its content to send.
void Route::report_decided(Delivery& delivery) {
  std::vector<queue::DecidedRecipients>& decided = *environment_.decided;
  const auto count = static_cast<std::uint32_t>(delivery.size());
  bool goes_on = false;  // with those before
  for (std::uint32_t i = 0; i < count; ++i) {
    Recipient& recipient = delivery.recipients[i];
    const bool reports = recipient.decided && !recipient.reported;
    if (reports && goes_on) {
      ++decided.back().end;
    } else if (reports) {
      decided.push_back({&delivery, i, i + 1});
    }
    recipient.reported = recipient.reported || reports;
    goes_on = reports;
  }
}

// Those of its recipients whose fate may be decided by it: the others have theirs.
void Route::on_end_of_data(Delivery& delivery, std::uint32_t begin, std::uint32_t end) {
  if (environment_.intents == nullptr) {
    return;
  }
  const auto in_it = [&](std::uint32_t index) {
    const RecipientProgress progress = delivery.recipients[index].progress;
    return progress == RecipientProgress::offered || progress == RecipientProgress::taken;
  };
  const Origin& origin = delivery.message->origin;
  for (std::uint32_t first = begin; first < end;) {
    if (!in_it(first)) {
      ++first;
      continue;
    }
    std::uint32_t last = first + 1;
    while (last < end && in_it(last)) {
      ++last;
    }
    const std::uint32_t offset = origin.first_recipient + delivery.begin;
    environment_.intents->push_back(
        {origin.ordinal, origin.line_hash, offset + first, offset + last});
    for (; first < last; ++first) {
      delivery.recipients[first].noted_in_flight = true;
    }
  }
}

// Nobody has the message who was to have it: that is noted before it waits for another attempt, or
// for its outcome line, since the process may be killed meanwhile. A 5xx is left to the line: who
// was refused for good is not sent to again.
void Route::take_back_intent(Delivery& delivery, std::uint32_t index) {
  Recipient& recipient = delivery.recipients[index];
  const Status status = recipient.outcome.status;
  const bool is_put_off = status == Status::deferred || status == Status::unsent;
  if (environment_.intents == nullptr || !recipient.noted_in_flight || !is_put_off) {
    return;
  }
  recipient.noted_in_flight = false;
  std::vector<codec::JournalIntent>& intents = *environment_.intents;
  const Origin& origin = delivery.message->origin;
  const std::uint32_t place = origin.first_recipient + delivery.begin + index;
  codec::JournalIntent* const last = intents.empty() ? nullptr : &intents.back();
  if (last != nullptr && last->is_put_off && last->ordinal == origin.ordinal &&
      last->recipients_end == place) {
    ++last->recipients_end;
    return;
  }
  intents.push_back({origin.ordinal, origin.line_hash, place, place + 1, true});
}

void Route::on_verdict(Connection& connection, Delivery& delivery, std::uint32_t index,
                       const protocol::Verdict& verdict) {
  if (!quota_shares_.empty()) {
    hear_quota(delivery, verdict);
  }
  const bool answered = verdict.status == Status::accepted || verdict.status == Status::rejected ||
                        verdict.status == Status::deferred;
  if (answered && !connection.progressed()) {
    connection.mark_progressed();
    gate_.session_progressed();
  }
  if (answered && !others_.empty()) {
    hear_answer();
  }
  if (answered) {
    // Sessions that ended with it were ended by something else.
    forget_loss(delivery);
  }
  connection.judged = connection.judged || (verdict.stage == Stage::eod && verdict.code != 0);
  if (verdict.status == Status::accepted) {
    connection.accepted = true;
    gate_.recipient_accepted();
  } else if (verdict.status == Status::rejected) {
    gate_.recipient_refused(verdict.stage, {verdict.code, verdict.enhanced, verdict.text, 1});
  }
  connection.in_doubt = connection.in_doubt || verdict.status == Status::unknown;
  Recipient& recipient = delivery.recipients[index];
  const Circumstances at = circumstances(delivery, connection.peer());
  AttemptHistory history = history_of(recipient.outcome);
  history.lost_at = delivery.loss_stage;
  history.lost_with_others = is_lost_with_others(connection, delivery, at.now);
  history.session_progressed = connection.progressed();
  history.rate_refusals = delivery.rate_refusals;
  history.has_rested_for = mood_.has_rested_for();
  const AttemptRules rules = attempt_rules();
  const Decision decision = decide(verdict, history, rules, delivery.message->id);
  record(recipient.outcome, verdict, decision, at);
  hear_mood(verdict, rules, at.now);
  if (verdict.too_fast) {
    hear_too_fast(delivery, verdict, at.now);
  }
  if (decision.marks_loss) {
    delivery.new_loss_stage = verdict.stage;
  }
  if (decision.next == NextStep::after_pause) {
    recipient.postponed = true;
    delivery.retry_pause = std::max(delivery.retry_pause, decision.pause);
  } else if (decision.next != NextStep::at_once) {
    recipient.decided = true;
  }
  take_back_intent(delivery, index);
}

// Deliveries of one message share what sessions were lost with it. Each goes by what was known when
// it was begun: ten sessions that were busy with ten of them and die together are one loss.
void Route::forget_loss(Delivery& delivery) {
  std::atomic<Stage>& known = delivery.consignment->loss_stage;
  if (known.load(std::memory_order_relaxed) != Stage::local) {
    known.store(Stage::local, std::memory_order_relaxed);
  }
  delivery.loss_stage = Stage::local;
  delivery.new_loss_stage = Stage::local;
}

void Route::remember_loss(Delivery& delivery) {
  if (delivery.new_loss_stage != Stage::local) {
    delivery.consignment->loss_stage.store(delivery.new_loss_stage, std::memory_order_relaxed);
    delivery.new_loss_stage = Stage::local;
  }
}

void Route::count_rate_refusals(Delivery& delivery) {
  if (delivery.is_too_fast) {
    delivery.is_too_fast = false;
    if (delivery.rate_refusals < UINT8_MAX) {
      ++delivery.rate_refusals;
    }
  } else {
    delivery.rate_refusals = 0;
  }
}

void Route::count_repeats(Delivery& delivery) {
  if (!delivery.is_repeated) {
    delivery.repeats = 0;
  }
  delivery.is_repeated = false;
}

void Route::hear_mood(const protocol::Verdict& verdict, const AttemptRules& rules, Instant now) {
  const auto pause = mood_.hear(verdict, now < break_until_, rules, gate_.options().name);
  if (!pause) {
    return;
  }
  break_until_ = now + *pause;
  gate_.circuit().rests(break_until_);
  if (verdict.wants_pause && *pause >= quota_wait_said_min) {
    gate_.tell("its quota is used up, so it rests for " + pause_text(*pause) + ": " +
               std::to_string(verdict.code) + " " + std::string(verdict.text));
  }
}

void Route::on_delivery_done(Connection& connection, Delivery& delivery) {
  environment_.stats->messages.add(1);
  note_times(connection, delivery);
  note_done(connection);
  if (!quota_shares_.empty()) {
    settle_quota(delivery);
  }
  if (connection.accepted) {
    connection.accepted = false;
    environment_.stats->content_bytes.add(delivery.message->content.bytes());
  }
  remember_loss(delivery);
  count_rate_refusals(delivery);
  count_repeats(delivery);
  bool goes_on = false;
  bool waits = false;
  for (const Recipient& recipient : delivery.active_recipients()) {
    goes_on = goes_on || (!recipient.decided && !recipient.postponed);
    waits = waits || (!recipient.decided && recipient.postponed);
  }
  if (waits && !goes_on) {
    postpone(delivery);
  } else {
    report_decided(delivery);
  }
  if (goes_on) {
    waiting_.push_front(&delivery);
  }
  tell_knowledge(connection);
  list(connection);
}

void Route::postpone(Delivery& delivery) {
  const bool is_first = &delivery == &delivery.consignment->first;
  const bool room = (!is_first || retry_messages_ < limits_.retry_messages_max) &&
                    retry_bytes_ + delivery.budget_bytes <= limits_.retry_bytes_max;
  if (!room) {
    end_wait(delivery, protocol::verdict_of_no_room());
    report_decided(delivery);
    return;
  }
  report_decided(delivery);
  const Duration pause = delivery.retry_pause;
  delivery.retry_pause = Duration::zero();
  retry_bytes_ += delivery.budget_bytes;
  retry_messages_ += is_first ? 1 : 0;
  retries_.add(delivery, connection_environment_.io->now() + pause);
  if (environment_.pool != nullptr) {
    environment_.pool->set_aside();
  }
}

}  // namespace ringpost::engine
