#include "engine/endpoint_gate.h"

#include <algorithm>

namespace ringpost::engine {

namespace {

// The n-th pause in a row: 0.25 s, doubled up to 30 s.
Duration pause_after(std::uint32_t pauses) {
  constexpr Duration first = std::chrono::milliseconds(250);
  constexpr Duration longest = std::chrono::seconds(30);
  return std::min<Duration>(longest, first * (1u << std::min(pauses, 10u)) / 2);
}

bool is_refusal(const protocol::CloseReason& reason) {
  return reason.kind == protocol::CloseKind::auth_refused && reason.permanent;
}

}  // namespace

EndpointGate::EndpointGate(const EndpointOptions& options, Resolve resolve,
                           std::function<void()> wake_workers, std::function<Instant()> clock,
                           ReadToken read_token)
    : options_(options),
      resolve_(std::move(resolve)),
      wake_workers_(std::move(wake_workers)),
      clock_(std::move(clock)),
      read_token_(std::move(read_token)),
      rate_(options.messages_per_second_max),
      login_source_(options) {}

EndpointGate::Admission EndpointGate::ask(Instant now) {
  Admission admission;
  bool look_up = false;
  bool read_token = false;
  {
    const std::lock_guard lock(mutex_);
    const bool may_act = !failed() && now >= closed_until_;
    look_up = state_ == State::unresolved && may_act;
    read_token = may_act && login_source_.start_reading(now);
    if (look_up) {
      state_ = State::resolving;
    }
    admission = admit(now);
  }
  if (look_up) {
    // Without the lock: the resolver holds one of its own when it calls back.
    resolve_(options_.host, options_.port,
             [this](io::Resolver::Answer answer) { resolved(std::move(answer)); });
  }
  if (read_token) {
    read_token_([this](TokenResult token) { token_read(std::move(token)); });
  }
  return admission;
}

EndpointGate::Admission EndpointGate::admit(Instant now) {
  Admission admission;
  if (failed()) {
    admission.answer = Answer::failed;
    return admission;
  }
  if (now < closed_until_) {
    admission.try_again_at = closed_until_;
    return admission;
  }
  if ((state_ != State::untested && state_ != State::open) || !login_source_.ready(now)) {
    return admission;
  }
  admission.canary = state_ == State::untested;
  if (admission.canary) {
    state_ = State::testing;
  }
  admission.answer = Answer::go;
  admission.address = addresses_[address_index_ % addresses_.size()];
  admission.login = login_source_.login();
  admission.knowledge = knowledge_;
  return admission;
}

// On the resolver's thread.
void EndpointGate::resolved(io::Resolver::Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    if (answer && !answer->empty()) {
      addresses_ = std::move(*answer);
      state_ = State::untested;
    } else {
      state_ = State::unresolved;
      protocol::CloseReason reason;
      reason.kind = protocol::CloseKind::connect_failed;
      reason.stage = Stage::connect;
      reason.detail = answer ? "the name has no address" : answer.error().message;
      reason.permanent = answer || !answer.error().temporary;
      count_failure(reason, clock_());
    }
  }
  wake_workers_();
}

// On the token's thread.
void EndpointGate::token_read(TokenResult token) {
  {
    const std::lock_guard lock(mutex_);
    protocol::CloseReason reason;
    reason.kind = protocol::CloseKind::token_unavailable;
    reason.stage = Stage::auth;
    const Instant now = clock_();
    switch (login_source_.take(std::move(token), now, reason.detail)) {
      case LoginSource::Taken::good:
        break;
      case LoginSource::Taken::failed:
        count_failure(reason, now);
        break;
      case LoginSource::Taken::refused:
        fail(token_refusal_);
        break;
    }
  }
  wake_workers_();
}

std::optional<protocol::Pipelining> EndpointGate::pipelining() const {
  const std::lock_guard lock(mutex_);
  return pipelining_;
}

void EndpointGate::learn(const protocol::PipeliningKnowledge& knowledge) {
  const std::lock_guard lock(mutex_);
  const protocol::Pipelining most = knowledge_.most;
  knowledge_.merge(knowledge);
  knowledge_.most = most;  // that is said, with its reason, by fall_back()
}

void EndpointGate::fell_back(const protocol::CloseReason& why) {
  bool fell = false;
  {
    const std::lock_guard lock(mutex_);
    fell = fall_back(why);
    pipelining_ = pipelining_ ? std::min(*pipelining_, *why.fall_back) : pipelining_;
  }
  if (fell) {
    tell_fall_back(why);
  }
}

void EndpointGate::tell_fall_back(const protocol::CloseReason& reason) const {
  if (notice_) {
    notice_({options_.name,
             "goes on with " + std::string(name_of(*reason.fall_back)) + ": " + reason.message()});
  }
}

void EndpointGate::learn_mechanisms(const protocol::PipeliningKnowledge& knowledge) {
  const std::lock_guard lock(mutex_);
  knowledge_.mechanisms_failed |= knowledge.mechanisms_failed;
  knowledge_.mechanisms_proven |= knowledge.mechanisms_proven;
}

void EndpointGate::tell(const std::string& message) {
  {
    const std::lock_guard lock(mutex_);
    constexpr std::size_t told_max = 16;
    if (told_.size() == told_max || std::find(told_.begin(), told_.end(), message) != told_.end()) {
      return;
    }
    told_.push_back(message);
  }
  if (notice_) {
    notice_({options_.name, message});
  }
}

// Whether this is news.
bool EndpointGate::fall_back(const protocol::CloseReason& reason) {
  const bool news = *reason.fall_back < knowledge_.most;
  if (news) {
    knowledge_.most = *reason.fall_back;
  }
  return news;
}

void EndpointGate::session_ready(bool canary, protocol::Pipelining pipelining,
                                 std::uint64_t token_number) {
  bool opened = false;
  {
    const std::lock_guard lock(mutex_);
    pipelining_ = pipelining;
    ++sessions_ready_;
    login_source_.accepted(token_number);
    if (canary && state_ == State::testing) {
      state_ = State::open;
      opened = true;
    }
  }
  if (opened) {
    wake_workers_();
  }
}

void EndpointGate::session_progressed() {
  const std::lock_guard lock(mutex_);
  pauses_in_a_row_ = 0;
  failures_in_a_row_ = 0;
}

void EndpointGate::session_ended(const Ending& ending, const protocol::CloseReason& reason,
                                 Instant now) {
  bool fell = false;
  {
    const std::lock_guard lock(mutex_);
    fell = reason.fall_back && fall_back(reason);
    if (ending.was_ready) {
      --sessions_ready_;
    } else if (ending.canary) {
      state_ = State::untested;
    }
    const bool on_purpose =
        reason.kind == protocol::CloseKind::quit || reason.kind == protocol::CloseKind::aborted;
    if (is_refusal(reason) && !failed() && login_source_.refused(ending.token_number)) {
      // The token has aged, and nothing else is wrong: the next one has a canary of its own.
      token_refusal_ = reason;
      state_ = state_ == State::open ? State::untested : state_;
    } else if (!on_purpose && !failed()) {
      if (state_ == State::open && sessions_ready_ == 0) {
        state_ = State::untested;
      }
      // A session that did its work and ended, as some servers want it, is no failure of the
      // endpoint. Nor is one that asked too much of the server: the next asks less, or logs in
      // another way.
      if (!ending.progressed && !reason.fall_back && !reason.other_mechanism) {
        count_failure(reason, now);
      }
    }
  }
  if (fell) {
    tell_fall_back(reason);
  }
  wake_workers_();
}

void EndpointGate::left_out_dsn() {
  if (!said_no_dsn_.load(std::memory_order_relaxed) && !said_no_dsn_.exchange(true) && notice_) {
    notice_({options_.name,
             "does not announce DSN, so what envelope.dsn asks for is left out: notifications come "
             "as the server sees fit"});
  }
}

void EndpointGate::count_failure(const protocol::CloseReason& reason, Instant now) {
  // A server that has let sessions in and refuses one too many is not an endpoint that is lost.
  const bool one_too_many =
      sessions_ready_ > 0 && reason.kind == protocol::CloseKind::greeting_refused;
  if (reason.permanent && !one_too_many) {
    fail(reason);
    return;
  }
  // Sessions that were let through before a pause began, and fail during it, fail for the same
  // cause: the restart of a server that all of them meet at once is one failure.
  if (now >= closed_until_) {
    ++address_index_;
    ++pauses_in_a_row_;
    closed_until_ = now + pause_after(pauses_in_a_row_);
    pause_counts_as_failure_ = false;
  }
  // As long as one session works, those that fail beside it say nothing about the endpoint.
  if (sessions_ready_ == 0 && !pause_counts_as_failure_) {
    pause_counts_as_failure_ = true;
    ++failures_in_a_row_;
    if (failures_in_a_row_ >= options_.connect_attempts_max) {
      fail(reason);
    }
  }
}

void EndpointGate::fail(const protocol::CloseReason& reason) {
  failure_ = reason;
  failed_.store(true, std::memory_order_release);
}

}  // namespace ringpost::engine
