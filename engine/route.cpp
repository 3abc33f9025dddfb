// What waits at a route and what becomes of it. Its sessions: route_sessions.cpp.
#include "engine/route.h"

#include <algorithm>
#include <array>

#include "codec/job/job_prefetch.h"
#include "codec/smtp/dsn_request.h"

namespace ringpost::engine {

namespace {

// Jobs taken from the queue at once: enough to make the queue cheap, few enough to share with other
// workers.
constexpr std::size_t jobs_per_take = 16;

// How often a route looks whether its gate is still held.
constexpr Duration held_look_every = std::chrono::milliseconds(50);

// Jobs that are decided without a session: as many as one turn may take, the others go on in the
// next.
constexpr std::size_t jobs_decided_per_turn = 1024;

// `attempts` are those without the one at hand.
AttemptHistory history_of(const Recipient& recipient) {
  return {.attempts = recipient.outcome.attempts, .last = recipient.outcome.status};
}

// The session was lost in the moment in which it got the message.
bool is_lost_with_others(const Connection& connection, const Job& job, Instant now) {
  constexpr Duration same_moment = std::chrono::milliseconds(500);
  return connection.ready_at() < job.started_at && now - job.started_at < same_moment;
}

}  // namespace

Route::Route(const RouteEnvironment& environment, ConnectionEnvironment connection_environment,
             EndpointGate& gate, queue::JobQueue& jobs, std::uint32_t endpoint_index,
             const RouteLimits& limits)
    : environment_(environment),
      connection_environment_(connection_environment),
      gate_(gate),
      jobs_(jobs),
      consumer_(jobs),
      endpoint_index_(endpoint_index),
      limits_(limits) {
  connection_environment_.listener = this;
  connection_environment_.stats = environment_.stats;
  connection_environment_.frontier = &frontier_;
}

void Route::turn(Instant now) {
  try_again_at_ = never;
  asked_gate_ = false;
  if (tls_question_ == TlsQuestion::wanted) {
    ask_for_tls();
  } else if (tls_question_ == TlsQuestion::answered) {
    give_up_silent();
  }
  if (stopping_) {
    protocol::CloseReason reason;
    reason.kind = protocol::CloseKind::aborted;
    end_all_waiting(reason);
    return;
  }
  if (gate_.failed()) {
    end_all_waiting(gate_.failure());
    return;
  }
  take_due(now);
  if (now >= deadline()) {
    expire_waiting(now);
    if (now >= environment_.sessions_end_at) {
      end_overdue_sessions();
    }
    return;
  }
  if (now < break_until_ || gate_.held()) {
    try_again_at_ = std::max(break_until_, now + held_look_every);
    return;
  }
  assign(now);
  const bool work_waits = !waiting_.empty() || !jobs_.empty();
  if (work_waits && with_room_.empty() && sessions_.size() < limits_.connections_max) {
    open_session(now);
  }
}

bool Route::hungry() const {
  return sends_no_more() || !with_room_.empty() ||
         (sessions_.size() < limits_.connections_max && try_again_at_ == never);
}

bool Route::has_work() const {
  const bool work_waits = !waiting_.empty() || !jobs_.empty();
  const bool may_act =
      !with_room_.empty() || (sessions_.size() < limits_.connections_max && !asked_gate_);
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
  return std::min({try_again_at_, retries_.next_due(), end});
}

Job* Route::next_job() {
  if (waiting_.empty()) {
    std::array<Job*, jobs_per_take> taken;
    const std::size_t count = consumer_.take(taken);
    for (std::size_t i = 0; i < count; ++i) {
      codec::prefetch_job(*taken[i]);
      waiting_.push_back(taken[i]);
    }
  }
  return waiting_.empty() ? nullptr : waiting_.front();
}

// Breadth first: every session gets a message before one gets its second.
void Route::assign(Instant now) {
  while (!with_room_.empty()) {
    Connection& connection = *with_room_.front();
    if (!connection.wants_message()) {
      with_room_.pop_front();
      connection.listed = false;
      continue;
    }
    Job* const job = next_job();
    if (job == nullptr) {
      return;
    }
    if (!gate_.rate().take(now)) {
      try_again_at_ = std::max(gate_.rate().next(), now + std::chrono::microseconds(100));
      return;
    }
    waiting_.pop_front();
    if (!waiting_.empty()) {
      codec::prefetch_parts(*waiting_.front());
    }
    if (give(connection, *job, now)) {
      with_room_.pop_front();
      connection.listed = false;
      list(connection);
    }
  }
}

// False: the job is over age, and the connection is still free.
bool Route::give(Connection& connection, Job& job, Instant now) {
  if (job.expires_at_us != 0 && connection_environment_.io->unix_time_us() >= job.expires_at_us) {
    expire_job(job, protocol::WaitEnd::over_age, gate_.trouble());
    return false;
  }
  if (codec::is_requested(job.dsn) && !connection.knows_dsn()) {
    gate_.left_out_dsn();
  }
  job.started_at = now;
  connection.submit(job);
  pump_later(connection);
  return true;
}

// Jobs whose pause is over wait for a session again, all of them when the deadline has come.
void Route::take_due(Instant now) {
  const Instant due = now >= deadline() ? never : now;
  while (Job* const job = take_retry(due)) {
    for (Recipient& recipient : job->active_recipients()) {
      recipient.postponed = false;
    }
    waiting_.push_back(job);
  }
}

Job* Route::take_retry(Instant due) {
  Job* const job = retries_.take_due(due);
  if (job != nullptr) {
    retry_bytes_ -= job->budget_bytes;
    if (environment_.pool != nullptr) {
      environment_.pool->take_up();
    }
  }
  return job;
}

// Whether or not there is a session that could have taken them.
void Route::expire_waiting(Instant now) {
  const std::optional<protocol::CloseReason> trouble = gate_.trouble();
  for (std::size_t i = 0; i < jobs_decided_per_turn; ++i) {
    Job* const job = next_job();
    if (job == nullptr) {
      return;
    }
    waiting_.pop_front();
    expire_job(*job, protocol::WaitEnd::deadline, trouble);
  }
  try_again_at_ = now;
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
void Route::expire_job(Job& job, protocol::WaitEnd end,
                       const std::optional<protocol::CloseReason>& trouble) {
  std::string text = end == protocol::WaitEnd::over_age ? "its expires_at has passed"
                                                        : "the deadline of the run has passed";
  if (trouble) {
    text += "; the endpoint's last error: " + gate_.place() + ": " + trouble->message();
  }
  end_wait(job, protocol::verdict_of_expiry(end, trouble ? &*trouble : nullptr, text));
  report_decided(job);
}

// For all who still waited.
void Route::end_wait(Job& job, const protocol::Verdict& verdict) {
  const Circumstances at = circumstances(job, {});
  for (Recipient& recipient : job.active_recipients()) {
    if (!recipient.decided) {
      record(recipient.outcome, verdict, decide_waiting(verdict, history_of(recipient)), at);
      recipient.decided = true;
    }
  }
}

void Route::list(Connection& connection) {
  if (!connection.listed && connection.wants_message()) {
    connection.listed = true;
    with_room_.push_back(&connection);
  }
}

// It may have something to say.
void Route::pump_later(Connection& connection) {
  if (!connection.dirty) {
    connection.dirty = true;
    environment_.dirty->push_back(&connection);
  }
}

void Route::end_all_waiting(const protocol::CloseReason& reason) {
  while (Job* const job = take_retry(never)) {
    waiting_.push_back(job);
  }
  const std::string text = reason.kind == protocol::CloseKind::aborted
                               ? std::string("the run was stopped before it was sent")
                               : gate_.options().host + ": " + reason.message() + gate_.effort();
  const protocol::Verdict verdict = protocol::verdict_of_no_session(reason, text);
  for (std::size_t i = 0; i < jobs_decided_per_turn; ++i) {
    Job* const job = next_job();
    if (job == nullptr) {
      return;
    }
    waiting_.pop_front();
    end_wait(*job, verdict);
    report_decided(*job);
  }
  try_again_at_ = connection_environment_.io->now();
}

// ---- Outcomes
// ------------------------------------------------------------------------------------

AttemptRules Route::attempt_rules() const {
  const EndpointOptions& options = gate_.options();
  return {options.attempts_max, options.retry_pause_first, stopping_};
}

Circumstances Route::circumstances(const Job& job, Bytes peer) const {
  const io::Io& io = *connection_environment_.io;
  return {endpoint_index_, io.unix_time_us(), peer, io.now(), job.submitted_at, job.started_at};
}

// A job whose last recipient was reported is gone. So that comes when no session has it any more:
// a session may know all verdicts and still have its content to send.
void Route::report_decided(Job& job) {
  for (Recipient& recipient : job.active_recipients()) {
    if (recipient.decided && !recipient.reported) {
      recipient.reported = true;
      const auto index = static_cast<std::uint32_t>(&recipient - job.recipients.data());
      environment_.decided->push_back({&job, index});
    }
  }
}

// Those of its recipients whose fate may be decided by it: the others have theirs.
void Route::on_end_of_data(Job& job, std::uint32_t begin, std::uint32_t end) {
  if (environment_.intents == nullptr) {
    return;
  }
  const auto in_it = [&](std::uint32_t index) {
    const RecipientProgress progress = job.recipients[index].progress;
    return progress == RecipientProgress::offered || progress == RecipientProgress::taken;
  };
  for (std::uint32_t first = begin; first < end;) {
    if (!in_it(first)) {
      ++first;
      continue;
    }
    std::uint32_t last = first + 1;
    while (last < end && in_it(last)) {
      ++last;
    }
    environment_.intents->push_back({job.ordinal, job.line_hash, first, last});
    for (; first < last; ++first) {
      job.recipients[first].noted_in_flight = true;
    }
  }
}

// Nobody has the message who was to have it: that is noted before it waits for another attempt, or
// for its outcome line, since the process may be killed meanwhile. A 5xx is left to the line: who
// was refused for good is not sent to again.
void Route::take_back_intent(const Job& job, Recipient& recipient) {
  const Status status = recipient.outcome.status;
  const bool is_put_off = status == Status::deferred || status == Status::unsent;
  if (environment_.intents == nullptr || !recipient.noted_in_flight || !is_put_off) {
    return;
  }
  recipient.noted_in_flight = false;
  std::vector<codec::JournalIntent>& intents = *environment_.intents;
  const auto index = static_cast<std::uint32_t>(&recipient - job.recipients.data());
  codec::JournalIntent* const last = intents.empty() ? nullptr : &intents.back();
  if (last != nullptr && last->is_put_off && last->ordinal == job.ordinal &&
      last->recipients_end == index) {
    ++last->recipients_end;
    return;
  }
  intents.push_back({job.ordinal, job.line_hash, index, index + 1, true});
}

void Route::on_verdict(Connection& connection, Job& job, Recipient& recipient,
                       const protocol::Verdict& verdict) {
  const bool answered = verdict.status == Status::accepted || verdict.status == Status::rejected ||
                        verdict.status == Status::deferred;
  if (answered && !connection.progressed()) {
    connection.mark_progressed();
    gate_.session_progressed();
  }
  if (answered) {
    // Sessions that ended with it were ended by something else.
    job.loss_stage = job.new_loss_stage = Stage::local;
  }
  if (verdict.status == Status::accepted) {
    connection.accepted = true;
    gate_.recipient_accepted();
  } else if (verdict.status == Status::rejected) {
    gate_.recipient_refused(verdict.stage, {verdict.code, verdict.enhanced, verdict.text, 1});
  }
  connection.in_doubt = connection.in_doubt || verdict.status == Status::unknown;
  const Circumstances at = circumstances(job, connection.peer());
  AttemptHistory history = history_of(recipient);
  history.lost_at = job.loss_stage;
  history.lost_with_others = is_lost_with_others(connection, job, at.now);
  history.session_progressed = connection.progressed();
  const AttemptRules rules = attempt_rules();
  const Decision decision = decide(verdict, history, rules, job.id);
  record(recipient.outcome, verdict, decision, at);
  hear_mood(verdict, rules, at.now);
  if (decision.marks_loss) {
    job.new_loss_stage = verdict.stage;
  }
  if (decision.next == NextStep::after_pause) {
    recipient.postponed = true;
    job.retry_pause = std::max(job.retry_pause, decision.pause);
  } else if (decision.next != NextStep::at_once) {
    recipient.decided = true;
  }
  take_back_intent(job, recipient);
}

void Route::hear_mood(const protocol::Verdict& verdict, const AttemptRules& rules, Instant now) {
  const auto pause = mood_.hear(verdict, now < break_until_, rules, gate_.options().name);
  if (pause) {
    break_until_ = now + *pause;
  }
}

void Route::on_message_done(Connection& connection, Job& job) {
  environment_.stats->messages.add(1);
  if (connection.accepted) {
    connection.accepted = false;
    environment_.stats->content_bytes.add(job.content.size());
  }
  job.loss_stage = job.new_loss_stage;
  bool goes_on = false;
  bool waits = false;
  for (const Recipient& recipient : job.active_recipients()) {
    goes_on = goes_on || (!recipient.decided && !recipient.postponed);
    waits = waits || (!recipient.decided && recipient.postponed);
  }
  if (waits && !goes_on) {
    postpone(job);
  } else {
    report_decided(job);
  }
  if (goes_on) {
    waiting_.push_front(&job);
  }
  tell_knowledge(connection);
  list(connection);
}

void Route::postpone(Job& job) {
  const bool room = retries_.size() < limits_.retry_jobs_max &&
                    retry_bytes_ + job.budget_bytes <= limits_.retry_bytes_max;
  if (!room) {
    end_wait(job, protocol::verdict_of_no_room());
    report_decided(job);
    return;
  }
  report_decided(job);
  const Duration pause = job.retry_pause;
  job.retry_pause = Duration::zero();
  retry_bytes_ += job.budget_bytes;
  retries_.add(job, connection_environment_.io->now() + pause);
  if (environment_.pool != nullptr) {
    environment_.pool->set_aside();
  }
}

}  // namespace ringpost::engine
