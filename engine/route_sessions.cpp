// The problem: each session costs the server something, and what one of them finds out (ways of
// speaking, mechanisms, addresses that fail) is worth most to those that come next. The idea: one
// is opened only for a delivery that no other has room for, one a turn, and when the gate agrees;
// news goes to all sessions of this route at once and to the gate for the others, and how a session
// ended is told there with how far it had come. A port that does not greet is asked by a
// ClientHello whether it waits for TLS. Limits: that is asked once, and only where STARTTLS is
// expected. What waits for sessions: route.cpp.
#include <algorithm>
#include <utility>

#include "engine/pause.h"
#include "engine/route.h"

namespace ringpost::engine {

// False: not now.
bool Route::open_session(Instant now) {
  asked_gate_ = true;
  EndpointGate::Admission admission = gate_.ask(now);
  if (admission.answer != EndpointGate::Answer::go) {
    try_again_at_ = std::min(try_again_at_, admission.try_again_at);
    return false;
  }
  const io::Owner owner = environment_.connections->next_owner();
  auto connection = std::make_unique<Connection>(connection_environment_, owner, admission.canary);
  Connection& opened = *connection;
  static_cast<void>(environment_.connections->add(std::move(connection), owner));
  sessions_.push_back(&opened);
  someone_waits_ = true;
  opened.opened_at = now;
  environment_.stats->sessions_opened.add(1);
  if (environment_.route_stats != nullptr) {
    environment_.route_stats->sessions_opened.add(1);
  }
  opened.open({.addresses = std::move(admission.addresses),
               .security = admission.security,
               .connect_by = admission.connect_by,
               .ready_by = admission.ready_by,
               .secured_by = admission.secured_by,
               .greeting_patience = admission.greeting_patience,
               .knowledge = admission.knowledge,
               .login = std::move(admission.login)});
  pump_later(opened);
  return true;
}

void Route::on_silence(Connection& connection) {
  const std::string where =
      gate_.options().host + ":" + std::to_string(connection.address().port());
  const bool in_clear = gate_.port().security != TransportSecurity::implicit;
  gate_.tell(where + " takes connections and has not greeted for " +
             pause_text(connection.silence()) + ": " +
             (in_clear ? "port 465 and the like speak TLS from the first octet and wait for it "
                         "(smtps:// instead of smtp://)"
                       : "a web server waits like this behind its TLS; check the port"));
  want_tls_answer(connection);
}

void Route::want_tls_answer(const Connection& connection) {
  if (gate_.port().security == TransportSecurity::starttls && tls_question_ == TlsQuestion::none) {
    tls_question_ = TlsQuestion::wanted;
    silent_address_ = connection.address();
  }
}

// Beside the session that waits, which may be greeted yet.
void Route::ask_for_tls() {
  tls_question_ = TlsQuestion::asked;
  if (stopping_) {
    return;
  }
  const io::Owner owner = environment_.connections->next_owner();
  auto connection = std::make_unique<Connection>(connection_environment_, owner, false);
  Connection& opened = *connection;
  static_cast<void>(environment_.connections->add(std::move(connection), owner));
  asking_ = &opened;
  opened.ask_for_tls(silent_address_);
  if (!opened.dirty) {
    opened.dirty = true;
    environment_.dirty->push_back(&opened);
  }
}

void Route::hear_tls_answer(const Connection& connection, const protocol::CloseReason& reason) {
  const EndpointOptions& options = gate_.options();
  const std::string port = std::to_string(connection.address().port());
  const bool is_ipv6 = options.host.find(':') != std::string::npos;
  tls_question_ = TlsQuestion::answered;
  switch (connection.tls_answer()) {
    case TlsAnswer::none:
      tls_question_ = TlsQuestion::over;
      break;
    case TlsAnswer::tls:
      tls_answer_ = "no greeting came, but TLS is answered: port " + port +
                    " speaks TLS from the first octet: use smtps://" +
                    (is_ipv6 ? "[" + options.host + "]" : options.host) + ":" + port;
      break;
    case TlsAnswer::other:
      tls_answer_ = "no greeting came, and " + reason.detail;
      break;
  }
}

// No greeting will ever come. When no session waits for one now, the next one hears it.
void Route::give_up_silent() {
  protocol::CloseReason reason =
      reason_of(protocol::CloseKind::starttls_missing, Stage::greeting, tls_answer_);
  reason.permanent = true;
  for (Connection* const connection : std::vector<Connection*>(sessions_)) {
    const bool is_there =
        connection->ungreeted() && connection->address().port() == silent_address_.port();
    if (is_there) {
      tls_question_ = TlsQuestion::over;
      connection->give_up(reason);
    }
  }
}

void Route::quit() {
  if (asking_ != nullptr) {
    asking_->abort();
  }
  for (Connection* const connection : std::vector<Connection*>(sessions_)) {
    connection->quit();
    pump_later(*connection);
  }
}

void Route::abort() {
  stopping_ = true;
  if (asking_ != nullptr) {
    asking_->abort();
  }
  for (Connection* const connection : std::vector<Connection*>(sessions_)) {
    connection->abort();
  }
}

void Route::tell_knowledge(Connection& connection) {
  if (connection.knowledge_version() == connection.knowledge_told) {
    return;
  }
  connection.knowledge_told = connection.knowledge_version();
  protocol::PipeliningKnowledge news = connection.knowledge();
  if (connection.words_told) {
    news.words = {};  // it is one witness
  }
  connection.words_told = connection.words_told || news.words.are_settled();
  const protocol::PipeliningKnowledge known = gate_.learn(news);
  for (Connection* const other : sessions_) {
    if (other != &connection) {
      other->learn(known);
      note_spent(*other);
      list(*other);
      pump_later(*other);
    }
  }
}

// For whoever watches.
void Route::publish_counts() const {
  RouteStats* const stats = environment_.route_stats;
  if (stats == nullptr) {
    return;
  }
  stats->sessions.set(ready_);
  stats->waiting.set(retries_.size());
  const Instant next = retries_.next_due();
  stats->next_attempt_at_ns.set(
      next == never ? 0 : static_cast<std::uint64_t>(next.time_since_epoch().count()));
}

// Of a transaction that is over.
void Route::note_times(Connection& connection, const Delivery& delivery) const {
  RouteStats* const stats = environment_.route_stats;
  const bool is_judged = std::exchange(connection.judged, false);
  if (stats == nullptr) {
    return;
  }
  const Instant now = connection_environment_.io->now();
  stats->note_transaction(now - delivery.started_at);
  if (const Instant left_at = connection.content_left_at(); is_judged && left_at != Instant{}) {
    stats->reply_times.note(now - left_at);
    if (protocol::StepListener* const steps = connection_environment_.session->steps) {
      steps->on_step(Stage::eod, now - left_at);
    }
  }
}

void Route::on_fall_back(const protocol::CloseReason& why) { gate_.fell_back(why); }

void Route::on_unruled(Stage stage, const codec::Reply& reply, const protocol::Ruling& ruling) {
  gate_.refusals().note(stage, reply, ruling);
}

// Several recipients of a transaction say it together once.
protocol::SaidInARow Route::on_repeated(Delivery& delivery, const protocol::Ruling& ruling) {
  constexpr std::uint8_t repeats_max = 127;
  const bool is_first = !delivery.is_repeated;
  if (is_first && delivery.repeats < repeats_max) {
    ++delivery.repeats;
  }
  delivery.is_repeated = true;
  return {delivery.repeats, gate_.repeats().said(ruling.rule)};
}

// Whoever is left goes on: what waits here can go nowhere else.
bool Route::on_one_too_many() {
  const auto at_work =
      std::count_if(sessions_.begin(), sessions_.end(), [](const Connection* connection) {
        return connection->was_ready() && !connection->is_going;
      });
  return at_work > 1 && gate_.one_too_many(connection_environment_.io->now());
}

void Route::on_ready(Connection& connection) {
  environment_.stats->sessions_ready.add(1);
  environment_.stats->sessions_resumed.add(connection.tls_resumed() ? 1 : 0);
  was_ready_ = true;
  ++ready_;
  const Instant now = connection_environment_.io->now();
  succession_.opened(now - connection.opened_at);
  if (RouteStats* const stats = environment_.route_stats; stats != nullptr) {
    stats->sessions_ready.add(1);
    stats->sessions_resumed.add(connection.tls_resumed() ? 1 : 0);
    stats->opening_times.note(now - connection.opened_at);
  }
  look_at_sessions_at_ = ages_ ? now : never;
  // First, so that the sessions that follow begin with what works.
  gate_.learn_mechanisms(connection.knowledge());
  if (std::string note = connection.login_note(); !note.empty()) {
    gate_.tell(note);
  }
  gate_.addresses_failed(connection.failed_addresses(), now);
  gate_.session_ready(connection.canary(), connection.pipelining(), connection.token_number(),
                      connection.peer());
  list(connection);
}

void Route::on_ended(Connection& connection, const protocol::CloseReason& reason) {
  if (&connection == asking_) {
    asking_ = nullptr;
    hear_tls_answer(connection, reason);
    return;
  }
  // A port that waits for TLS closes when it has waited long enough. A server that has greeted once
  // is none, and once is a restart; ClientHellos would only trouble its log.
  if (reason.kind == protocol::CloseKind::peer_closed && reason.stage == Stage::greeting &&
      !was_ready_ && ++silent_closes_ == 2) {
    want_tls_answer(connection);
  }
  std::erase(sessions_, &connection);
  ready_ -= connection.was_ready() ? 1u : 0u;
  if (!connection.was_ready() && reason.kind != protocol::CloseKind::quit) {
    steps_ = 0;
    shrink(connection_environment_.io->now());
    next_step_at_ = connection_environment_.io->now() + std::chrono::seconds(10);
  }
  if (connection.is_going) {
    --going_;
  } else if (connection.was_ready() && level_ > 0) {
    --level_;  // the server ended it, or nothing is left to send: it has no successor
  }
  with_room_.erase(&connection);
  connection.listed = false;
  reserve_.erase(&connection);
  on_duty_ -= connection.on_duty ? 1u : 0u;
  const Instant now = connection_environment_.io->now();
  if (!connection.was_ready()) {
    gate_.addresses_failed(connection.failed_addresses(), now);
  }
  if (connection.has_session()) {
    gate_.learn_mechanisms(connection.knowledge());
  }
  EndpointGate::Ending ending;
  ending.canary = connection.canary();
  ending.was_ready = connection.was_ready();
  ending.progressed = connection.progressed();
  ending.token_number = connection.token_number();
  ending.address = connection.peer();
  // A server that lets sessions in and ends them at once is no better than one that has one begin:
  // only behind a while without a message is an end the end of patience with an idle session.
  constexpr Duration idle_min = std::chrono::seconds(1);
  ending.had_message = connection.had_message() || now - connection.ready_at() < idle_min;
  ending.in_doubt = connection.in_doubt;
  ending.certificate_was_judged = connection.certificate_was_judged();
  ending.next = connection.next_steps();
  gate_.session_ended(ending, reason, now);
  if (connection.was_ready()) {
    tell_knowledge(connection);
  }
}

}  // namespace ringpost::engine
