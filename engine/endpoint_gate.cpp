// The problem: sessions of all workers fail in any order, a restart that all of them meet must
// count once, and a refusal may be an address's, the login's or the endpoint's. The idea: all
// endings come here, under one lock, and are judged by how far the session had come; what fails
// during a pause counts with the failure that began it. Callbacks wait until the lock is given
// back. Limits: a gate that has failed stays so for the run.
#include "engine/endpoint_gate.h"

#include <algorithm>

#include "engine/endpoint_check.h"
#include "engine/pause.h"
#include "engine/protocol/reply_rules.h"
#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

// A server that is full is asked for no more sessions than have to work, for so long.
constexpr Duration spares_rest = std::chrono::minutes(1);

// What a canary is given at least, however little patience is left: the last one begins at its end.
constexpr Duration connect_time_min = std::chrono::seconds(2);
// The same until its session is ready, where the user has set the patience: enough for a greeting,
// TLS and a login, and not much more than what the user wanted to wait.
constexpr Duration ready_time_min = std::chrono::seconds(5);

// Parts of the patience with a greeting, which grows by rounds, that a port has while another one
// is next. At first: a SYN that is lost once or twice, and the seconds that some servers wait.
constexpr int connects_in_patience = 8;
constexpr int ports_in_patience = 3;

bool is_refused_login(const protocol::CloseReason& reason) {
  return reason.permanent && (reason.kind == protocol::CloseKind::auth_refused ||
                              reason.kind == protocol::CloseKind::login_wanted);
}

// Of the endpoint, whichever of its servers says it.
bool is_mistake_in_options(const protocol::CloseReason& reason) {
  return reason.kind == protocol::CloseKind::auth_in_clear && reason.permanent;
}

AddressBook::Answer answer_of(const protocol::CloseReason& reason) {
  return reason.permanent ? AddressBook::Answer::refusal : AddressBook::Answer::trouble;
}

bool is_on_purpose(const protocol::CloseReason& reason) {
  return reason.kind == protocol::CloseKind::quit || reason.kind == protocol::CloseKind::aborted;
}

std::string fall_back_text(protocol::Pipelining to, const protocol::CloseReason& reason) {
  return "goes on with " + std::string(name_of(to)) + ": " + reason.message();
}

}  // namespace

EndpointGate::EndpointGate(const EndpointOptions& options, Resolve resolve,
                           std::function<void()> wake_workers, std::function<Instant()> clock,
                           ReadToken read_token, queue::QuotaMemory* quota_memory)
    : options_(options),
      resolve_(std::move(resolve)),
      wake_workers_(std::move(wake_workers)),
      clock_(std::move(clock)),
      read_token_(std::move(read_token)),
      own_quota_memory_(quota_memory == nullptr ? std::make_unique<queue::PrivateQuotaMemory>()
                                                : nullptr),
      memory_(quota_memory == nullptr ? *own_quota_memory_ : *quota_memory),
      rate_(options, memory_),
      ports_(ports_of(options)),
      patience_(options),
      login_source_(options) {
  const queue::LearntLimits learnt = memory_.learnt();
  sessions_known_ = learnt.sessions_max;
  keeps_to_known_ = sessions_known_ > 0;
  knowledge_.session_messages_max = learnt.session_messages_max;
}

// ---- Letting sessions through
// --------------------------------------------------------------------

EndpointGate::Admission EndpointGate::ask(Instant now) {
  Admission admission;
  bool look_up = false;
  std::uint16_t look_up_port = 0;
  bool read_token = false;
  {
    const std::lock_guard lock(mutex_);
    const bool may_act = !failed() && now >= closed_until_;
    if (may_act && sessions_ready_ == 0 && state_ != State::testing) {
      patience_.wanted(now);
    }
    look_up = may_act && start_looking_up(now);
    look_up_port = look_up_port_;
    read_token = may_act && login_source_.start_reading(now);
    admission = admit(now);
  }
  if (look_up) {
    // Without the lock: the resolver holds one of its own when it calls back.
    resolve_(written_host(options_), look_up_port,
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
  if (addresses_.empty() || state_ == State::testing || !login_source_.ready(now)) {
    return admission;
  }
  if (waits_for_an_end(now)) {
    admission.try_again_at = ask_for_more_at_;
    return admission;
  }
  admission.canary = state_ == State::untested;
  if (admission.canary) {
    state_ = State::testing;
    if (addresses_.round_is_over()) {
      addresses_.begin_round();
    }
    admission.addresses = addresses_.rest_of_round(now);
    bound_canary(admission, now);
  } else {
    admission.addresses = addresses_.order(now);
  }
  admission.answer = Answer::go;
  ++sessions_open_;
  admission.security = ports_.current().security;
  admission.login = login_source_.login();
  admission.knowledge = knowledge_;
  admission.knowledge.doubts.next = choose_next();
  return admission;
}

void EndpointGate::bound_canary(Admission& admission, Instant now) const {
  admission.greeting_patience = patience_.with_greeting();
  // Beside sessions that work nobody's patience runs out, however long ago it began to run.
  if (const Instant end = patience_.ends_at(); end != never && sessions_ready_ == 0) {
    admission.connect_by = std::max(end, now + connect_time_min);
    admission.ready_by = options_.patience ? std::max(end, now + ready_time_min) : never;
  }
  if (ports_.has_next()) {
    admission.connect_by =
        std::min(admission.connect_by, now + patience_.with_greeting() / connects_in_patience);
    admission.secured_by = now + patience_.with_greeting() / ports_in_patience;
  }
}

// ---- Where it is
// ---------------------------------------------------------------------------------

// Nobody waits for a look-up while there is an older answer.
bool EndpointGate::start_looking_up(Instant now) {
  const bool wanted = addresses_.empty() || look_up_wanted_ || now >= look_up_at_;
  if (!wanted || looking_up_) {
    return false;
  }
  looking_up_ = true;
  look_up_port_ = ports_.current().port;
  look_up_wanted_ = false;
  return true;
}

// On the resolver's thread.
void EndpointGate::resolved(io::Resolver::Answer answer) {
  Notices notices;
  {
    const std::lock_guard lock(mutex_);
    const Instant now = clock_();
    looking_up_ = false;
    if (look_up_port_ != ports_.current().port) {
      look_up_wanted_ = true;  // these have the port of before
    } else if (answer && !answer->empty()) {
      look_up_at_ = now + limits::address_age_max;
      const bool was_known = !addresses_.empty();
      const bool news = addresses_.replace(*answer);
      // It has moved: that is worth a try at once, but not again and again for a name whose answers
      // never stay the same.
      if (news && was_known && state_ == State::untested && pause_is_counted_ && !pause_was_cut_) {
        pause_was_cut_ = true;
        closed_until_ = std::min(closed_until_, now);
      }
    } else if (!addresses_.empty()) {
      look_up_at_ = now + limits::look_up_pause;
    } else {
      protocol::CloseReason reason;
      reason.kind = protocol::CloseKind::connect_failed;
      reason.stage = Stage::connect;
      reason.detail = answer ? "the name has no address" : answer.error().message;
      reason.permanent = answer || !answer.error().temporary;
      not_resolved(reason, now, notices);
    }
  }
  tell(notices);
  wake_workers_();
}

void EndpointGate::not_resolved(const protocol::CloseReason& reason, Instant now,
                                Notices& notices) {
  if (!failed()) {
    round_failed(reason, reason.permanent, now, notices);
  }
}

void EndpointGate::addresses_failed(std::span<const std::string> addresses, Instant now) {
  const std::lock_guard lock(mutex_);
  for (const std::string& address : addresses) {
    addresses_.failed(address, AddressBook::Answer::none, now);
  }
}

// ---- Who logs in
// ---------------------------------------------------------------------------------

// On the token's thread.
void EndpointGate::token_read(TokenResult token) {
  Notices notices;
  {
    const std::lock_guard lock(mutex_);
    if (failed()) {
      return;  // it came too late, and why the endpoint failed stays
    }
    protocol::CloseReason reason;
    reason.kind = protocol::CloseKind::token_unavailable;
    reason.stage = Stage::auth;
    const Instant now = clock_();
    switch (login_source_.take(std::move(token), now, reason.detail)) {
      case LoginSource::Taken::good:
        break;
      case LoginSource::Taken::failed:
        if (sessions_ready_ == 0) {
          round_failed(reason, false, now, notices);
        } else {
          closed_until_ = std::max(closed_until_, now + patience_.pause_beside_sessions(now));
        }
        break;
      case LoginSource::Taken::refused:
        fail(token_refusal_);
        break;
    }
  }
  tell(notices);
  wake_workers_();
}

// A server that has taken this login and refuses it now may be ill itself (its user database, its
// other half behind the balancer). While sessions work that were let in, they go on.
void EndpointGate::login_refused(const Ending& ending, const protocol::CloseReason& reason,
                                 Instant now, Notices& notices) {
  const bool at_mail = reason.kind == protocol::CloseKind::login_wanted;
  if (!patience_.was_let_in() || (at_mail && !patience_.has_worked())) {
    fail(reason);
    return;
  }
  trouble_ = reason;
  if (sessions_ready_ == 0) {
    circuit_.failed(now);
  }
  state_ = state_ == State::open ? State::untested : state_;
  // Logins that were under way together are refused together.
  if (!ending.canary && now < closed_until_) {
    return;
  }
  closed_until_ = std::max(closed_until_, now + patience_.pause_after_refused_login(now));
  pause_is_counted_ = false;
  if (patience_.login_is_lost() && sessions_ready_ == 0) {
    fail(reason);
  } else {
    say_away(reason, now, notices);
  }
}

std::optional<protocol::Pipelining> EndpointGate::pipelining() const {
  const std::lock_guard lock(mutex_);
  // A session that was on its way when others found out less says how it began.
  return pipelining_ ? std::min(*pipelining_, knowledge_.most) : pipelining_;
}

protocol::PipeliningKnowledge EndpointGate::learn(const protocol::PipeliningKnowledge& news) {
  std::unique_lock lock(mutex_);
  const protocol::Pipelining most = knowledge_.most;
  const protocol::StepDoubts doubts = knowledge_.doubts;
  const std::uint64_t messages_max = knowledge_.session_messages_max;
  knowledge_.merge(news);
  knowledge_.most = most;  // that is said, with its reason, by fall_back()
  knowledge_.doubts = doubts;
  knowledge_.words.hear_session(news.words);
  const protocol::PipeliningKnowledge known = knowledge_;
  lock.unlock();
  if (known.session_messages_max != messages_max) {
    queue::LearntLimits learnt = memory_.learnt();
    learnt.session_messages_max = known.session_messages_max;
    keep(learnt);
  }
  return known;
}

void EndpointGate::fell_back(const protocol::CloseReason& why) {
  std::optional<std::string> said;
  {
    const std::lock_guard lock(mutex_);
    said = fall_back(why);
    pipelining_ = pipelining_ ? std::min(*pipelining_, *why.fall_back) : pipelining_;
  }
  if (said) {
    tell(Notices{std::move(*said)});
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

// ---- How sessions fare
// ---------------------------------------------------------------------------

void EndpointGate::session_ready(bool canary, protocol::Pipelining pipelining,
                                 std::uint64_t token_number, std::string_view address) {
  bool opened = false;
  Notices notices;
  std::optional<queue::LearntLimits> learnt;
  {
    const std::lock_guard lock(mutex_);
    if (auto said = ports_.served()) {
      notices.push_back(std::move(*said));
    }
    pipelining_ = pipelining;
    ++sessions_ready_;
    learnt = note_one_more(clock_());
    circuit_.session_ready();
    login_source_.accepted(token_number);
    addresses_.session_began(address);
    patience_.let_in();
    if (canary && state_ == State::testing) {
      state_ = State::open;
      opened = true;
    }
  }
  keep(learnt);
  tell(notices);
  if (opened) {
    wake_workers_();
  }
}

void EndpointGate::session_progressed() {
  Notices notices;
  {
    const std::lock_guard lock(mutex_);
    if (away_since_ != never) {
      notices.push_back(place_of(ports_.current().port) + " is back");
      away_since_ = never;
    }
    patience_.progressed();
    login_source_.worked();
    trouble_.reset();
    pause_was_cut_ = false;
  }
  tell(notices);
}

void EndpointGate::session_ended(const Ending& ending, const protocol::CloseReason& told,
                                 Instant now) {
  const protocol::CloseReason reason = ruled(ending, told);
  Notices notices;
  std::optional<queue::LearntLimits> learnt;
  {
    const std::lock_guard lock(mutex_);
    sessions_open_ -= sessions_open_ > 0 ? 1u : 0u;
    next_given_ &= static_cast<protocol::StepSet>(~ending.next);
    if (reason.fall_back) {
      if (auto said = fall_back(reason)) {
        notices.push_back(std::move(*said));
      }
    } else if (reason.doubted) {
      doubt(reason);
    }
    if (ending.was_ready) {
      --sessions_ready_;
      sessions_told_ -= sessions_told_ > 0 ? 1u : 0u;
      if (sessions_ready_ == 0) {
        circuit_.sessions_lost();
      }
      addresses_.session_ended(ending.address);
    } else if (ending.canary) {
      state_ = State::untested;
    }
    const bool by_server = !is_on_purpose(reason) && !failed();
    if (by_server) {
      learnt = note_one_too_many(reason, now);
    }
    if (by_server && is_refused_login(reason)) {
      // Where a rule says what it is about, a new token mends nothing else.
      const bool is_of_token =
          reason.rule == nullptr || reason.rule->action != protocol::RuleAction::stop;
      const auto at = reason.kind == protocol::CloseKind::login_wanted ? LoginSource::At::message
                                                                       : LoginSource::At::login;
      if (is_of_token && login_source_.refused(ending.token_number, at)) {
        // The token has aged, and nothing else is wrong: the next one has a canary of its own.
        token_refusal_ = reason;
        state_ = state_ == State::open ? State::untested : state_;
      } else if (options_.read_token) {
        fail(reason);
      } else {
        login_refused(ending, reason, now, notices);
      }
    } else if (by_server) {
      if (state_ == State::open && sessions_ready_ == 0) {
        state_ = State::untested;
      }
      // A session that did its work and ended, as some servers want it, is no failure of the
      // endpoint. Nor is one that asked too much of the server: the next asks less, or logs in
      // another way. Nor one that was let in and had nothing to do for too long.
      const bool idle = ending.was_ready && !ending.had_message;
      const bool of_the_way = reason.fall_back || reason.doubted || reason.other_mechanism;
      if (idle) {
        patience_.nobody_waits();
      } else if (!ending.progressed && !of_the_way) {
        session_failed(ending, reason, now, notices);
      }
    }
  }
  keep(learnt);
  tell(notices);
  wake_workers_();
}

std::vector<std::string> EndpointGate::fall_backs() const {
  const std::lock_guard lock(mutex_);
  return fall_backs_;
}

void EndpointGate::session_failed(const Ending& ending, const protocol::CloseReason& reason,
                                  Instant now, Notices& notices) {
  if (is_mistake_in_options(reason)) {
    fail(reason);
    return;
  }
  // As long as one session works, those that fail beside it say nothing about the endpoint.
  if (sessions_ready_ > 0) {
    failed_beside_sessions(ending, reason, now);
    return;
  }
  trouble_ = reason;
  circuit_.failed(now);
  if (ending.in_doubt) {
    patience_.left_in_doubt();
  }
  if (!ending.address.empty()) {
    addresses_.failed(ending.address, answer_of(reason), now);
  }
  ports_.failed(port_end_of(reason, ending.certificate_was_judged));
  if (reason.permanent) {
    refusal_ = reason;
  }
  // The patience that the user has set is no longer for many addresses than for one.
  const bool out_of_time = options_.patience && now - ready_time_min >= patience_.ends_at();
  // One that got no connection has tried all that were left.
  if (ending.address.empty() || addresses_.round_is_over() || out_of_time) {
    port_failed(reason, !ending.address.empty(), now, notices);
  }
}

// Nothing came of any address on this port. A firewall on the way lets one port through and drops
// another, or answers for it; what a server said holds on all of its ports.
void EndpointGate::port_failed(const protocol::CloseReason& reason, bool has_connection,
                               Instant now, Notices& notices) {
  constexpr auto no_for_good = AddressBook::Answer::refusal;
  const bool is_refusal = reason.permanent && !has_connection;
  const std::uint16_t port = ports_.current().port;
  const PortChoice::Next next = ports_.ended(is_refusal ? no_for_good : addresses_.answer(), now);
  if (ports_.current().port != port) {
    go_to_current_port();
  }
  if (next == PortChoice::Next::another) {
    return;
  }
  const bool for_good = ports_.answer_of_round() == no_for_good;
  protocol::CloseReason why = for_good ? refusal_ : reason;
  if (next == PortChoice::Next::round && why.code == 0) {
    why.detail += (why.detail.empty() ? "" : "; ") + ports_.explanation();
  }
  round_failed(why, for_good, now, notices);
}

// A server that has let sessions in and refuses one too many is full: more come after a pause. What
// another address of the endpoint says is its own, and the next session goes elsewhere.
void EndpointGate::failed_beside_sessions(const Ending& ending, const protocol::CloseReason& reason,
                                          Instant now) {
  const bool full = ending.address.empty() || addresses_.sessions(ending.address) > 0;
  if (!full) {
    addresses_.failed(ending.address, answer_of(reason), now);
  }
  if (full) {
    no_spares_until_ = (now + spares_rest).time_since_epoch().count();
  }
  if ((full || !addresses_.has_rested(now)) && now >= closed_until_) {
    closed_until_ = now + patience_.pause_beside_sessions(now);
    pause_is_counted_ = false;
  }
}

void EndpointGate::go_to_current_port() {
  login_source_.use_port(ports_.current().port);
  addresses_.clear();
  look_up_wanted_ = true;
}

// Nothing came of any address. Sessions that were let through before a pause began, and fail during
// it, fail for the same cause: the restart of a server that all of them meet at once is one
// failure.
void EndpointGate::round_failed(const protocol::CloseReason& reason, bool for_good, Instant now,
                                Notices& notices) {
  trouble_ = reason;
  circuit_.failed(now);
  if (for_good && !patience_.has_worked()) {
    fail(reason);
    return;
  }
  if (now < closed_until_ && pause_is_counted_) {
    return;
  }
  closed_until_ = now + patience_.pause_after_round(now);
  pause_is_counted_ = true;
  look_up_wanted_ = true;
  if (patience_.is_over(now)) {
    give_up(reason, now);
  } else {
    say_away(reason, now, notices);
  }
}

// Once, until it is back.
void EndpointGate::say_away(const protocol::CloseReason& reason, Instant now, Notices& notices) {
  if (away_since_ != never) {
    return;
  }
  away_since_ = now - patience_.spent(now);
  const std::string what =
      is_refused_login(reason) ? " refuses a login that it has taken before (" : " is away (";
  const std::string how_long = is_refused_login(reason)
                                   ? "; trying it twice more"
                                   : "; trying again for up to " + pause_text(patience_.patience());
  notices.push_back(place_of(ports_.current().port) + what + reason.message() + ")" + how_long);
}

// One failure may be an accident. So are all that were under way when it came, since one restart
// ends every session that there is: who begins later knows of it, and says so when it happens
// again.
void EndpointGate::doubt(const protocol::CloseReason& reason) {
  std::optional<protocol::CloseReason>& known = doubts_[static_cast<std::size_t>(*reason.doubted)];
  if (known || knowledge_.has_proven(*reason.doubted)) {
    return;
  }
  known = reason;
  knowledge_.doubts.steps |= bit_of(*reason.doubted);
  if (reason.kind == protocol::CloseKind::timeout) {
    knowledge_.doubts.silent |= bit_of(*reason.doubted);
  }
}

// The steps in doubt that nobody else is to try again.
protocol::StepSet EndpointGate::choose_next() {
  const protocol::StepSet next =
      knowledge_.doubts.steps & static_cast<protocol::StepSet>(~next_given_);
  next_given_ |= next;
  return next;
}

// What is to be told; nothing, where that is no news.
std::optional<std::string> EndpointGate::fall_back(const protocol::CloseReason& reason) {
  const protocol::Pipelining step = one_more(*reason.fall_back);
  if (reason.of_trial && knowledge_.has_proven(step)) {
    return std::nullopt;  // an accident of that session's
  }
  if (*reason.fall_back >= knowledge_.most) {
    return std::nullopt;
  }
  knowledge_.most = *reason.fall_back;
  const auto& first = doubts_[static_cast<std::size_t>(step)];
  const bool borne_out = reason.doubted && first;
  fall_backs_.push_back(fall_back_text(*reason.fall_back, borne_out ? *first : reason));
  return fall_backs_.back();
}

void EndpointGate::give_up(const protocol::CloseReason& reason, Instant now) {
  if (const Duration spent = patience_.spent(now); spent > Duration::zero()) {
    effort_ = "; tried for " + pause_text(spent);
  }
  fail(reason);
}

void EndpointGate::fail(const protocol::CloseReason& reason) {
  failure_ = reason;
  failed_.store(true, std::memory_order_release);
}

void EndpointGate::tell(const Notices& notices) {
  for (const std::string& notice : notices) {
    if (notice_) {
      notice_({options_.name, notice});
    }
  }
}

// ---- For whoever asks
// ----------------------------------------------------------------------------

std::optional<protocol::CloseReason> EndpointGate::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

std::optional<Duration> EndpointGate::away_for(Instant now) const {
  const std::lock_guard lock(mutex_);
  const bool away = away_since_ != never && !failed();
  return away ? std::optional(std::max(Duration::zero(), now - away_since_)) : std::nullopt;
}

PortOption EndpointGate::port() const {
  const std::lock_guard lock(mutex_);
  return ports_.current();
}

PortChoice EndpointGate::ports() const {
  const std::lock_guard lock(mutex_);
  return ports_;
}

std::string EndpointGate::place() const { return place_of(port().port); }

std::string EndpointGate::place_of(std::uint16_t port) const {
  const bool literal = options_.host.find(':') != std::string::npos && options_.host[0] != '[';
  return (literal ? "[" + options_.host + "]" : options_.host) + ":" + std::to_string(port);
}

}  // namespace ringpost::engine
