// The problem: a probe has to find what `ringpost send` would find, and a send has io_uring, pools
// and sessions that try again. The idea: the part that speaks, the link, does no I/O, so a plain
// socket can drive the very same code; all that is looked at passes by here.
//
// One thing is tried that a send never does: where a port takes connections and says nothing, a
// ClientHello asks whether it is TLS from the first octet. No secret is in it.
#include "tools/probe/probe_port.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "codec/text/byte_buffer.h"
#include "engine/client_name.h"
#include "engine/login_source.h"
#include "engine/protocol/opening_hint.h"
#include "engine/session_options.h"
#include "tls/sasl_crypto.h"
#include "tools/probe/probe_fault.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

using engine::LinkState;
using engine::TlsAnswer;
using protocol::CloseKind;
using protocol::SessionState;

constexpr std::size_t addresses_max = 4;
constexpr std::size_t sealed_bytes_max = 8192;  // at once; what a session says is short
constexpr Duration quit_timeout = std::chrono::seconds(2);
// A server that knows TLS answers a ClientHello within a round trip.
constexpr Duration diagnosis_timeout = std::chrono::seconds(3);

// As a run's sessions, but with credentials of their own, for this port only, and one patience for
// every step.
protocol::SessionOptions probe_session_options(const ProbeEnvironment& environment,
                                               const PortPlan& plan) {
  const EndpointOptions& endpoint = *environment.endpoint;
  protocol::SessionOptions options = engine::session_options(endpoint);
  options.tls_mode = engine::tls_mode_of(plan.security);
  options.authenticate = plan.authenticate;
  if (plan.authenticate) {
    options.credentials = engine::credentials_of(endpoint, plan.port);
    if (endpoint.read_token && options.credentials.token.empty()) {
      options.credentials.token.swap(options.credentials.password);
    }
  }
  options.timeouts.greeting = environment.timeout;
  options.timeouts.command = environment.timeout;
  options.timeouts.quit = std::min<Duration>(environment.timeout, quit_timeout);
  return options;
}

std::string error_text(int error) { return std::strerror(error); }

Bytes first_line_of(Bytes octets) { return octets.substr(0, octets.find_first_of("\r\n")); }

}  // namespace

PortProbe::PortProbe(const ProbeEnvironment& environment, const PortPlan& plan,
                     std::vector<io::SocketAddress> addresses)
    : environment_(environment),
      addresses_(std::move(addresses)),
      session_options_(probe_session_options(environment, plan)),
      recorder_(finding_, session_options_.credentials) {
  session_options_.sasl = {&tls::sasl_crypto(), &scram_cache_};
  link_options_.session = &session_options_;
  link_environment_.plaintext_room = plaintext_room_;
  link_environment_.tls_context = environment.tls_context;
  link_environment_.host = environment.endpoint->host;
  link_environment_.tls_timeout = environment.timeout;
  link_environment_.keeps_certificates = true;
  RP_ASSERT(!addresses_.empty());
  addresses_.resize(std::min(addresses_.size(), addresses_max));
  finding_.port = plan.port;
  finding_.security = plan.security;
  finding_.wants_auth = plan.authenticate;
  finding_.ms.fill(-1);
}

PortProbe::~PortProbe() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

double PortProbe::ms_since_start(Instant now) const {
  return std::chrono::duration<double, std::milli>(now - started_at_).count();
}

// ---- Connecting --------------------------------------------------------------------------------

void PortProbe::start(Instant now) {
  RP_ASSERT(phase_ == Phase::idle);
  phase_ = Phase::connecting;
  now_ = started_at_ = now;
  give_up_at_ = now + environment_.timeout;
  try_next_address(now);
  send_output(now);
}

void PortProbe::try_next_address(Instant now) {
  ++next_address_;
  connect(now);
}

void PortProbe::connect(Instant now) {
  const io::SocketAddress& address = addresses_[next_address_ - 1];
  finding_.address = address.text();
  step_started_at_ = now;
  // Those that are left share the time that is left, so that one dead address does not use it up.
  const std::size_t left = addresses_.size() - next_address_ + 1;
  deadline_ = now + (give_up_at_ - now) / static_cast<std::int64_t>(left);
  fd_ = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) {
    connect_failed(errno, now);
    return;
  }
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address.storage), address.length) == 0) {
    connected(now);
  } else if (errno != EINPROGRESS) {
    connect_failed(errno, now);
  }
}

void PortProbe::connect_failed(int error, Instant now) {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
  if (asks_anew_) {
    finish();  // its fault is known
    return;
  }
  finding_.failed_addresses.push_back(fmt::format("{}: {}", finding_.address, error_text(error)));
  if (next_address_ < addresses_.size()) {
    try_next_address(now);
    return;
  }
  fail(fault_of_connect(error), ProbeStep::connect, error_text(error));
}

void PortProbe::connected(Instant now) {
  if (asks_anew_) {
    ask_for_tls(now);
    return;
  }
  finding_.ms_of(ProbeStep::connect) =
      std::chrono::duration<double, std::milli>(now - step_started_at_).count();
  finding_.round_trips = 1;
  step_started_at_ = now;
  recorder_.note("connected to " + finding_.address, ms_since_start(now));
  if (session_options_.client_name.empty()) {
    link_options_.client_name = engine::address_literal_towards(addresses_[next_address_ - 1]);
  }
  open_link();
  link_->begin(now);
  finding_.round_trips += link_->has_session() ? 1u : 0u;  // the greeting
  note_progress(now);
}

void PortProbe::open_link() {
  phase_ = Phase::linked;
  protocol::SessionListener& listener = *this;
  engine::LinkObserver& observer = *this;
  link_.emplace(link_environment_, link_options_, listener, &observer);
}

// ---- TLS ---------------------------------------------------------------------------------------

void PortProbe::on_handshake() {
  const tls::Channel& channel = *link_->channel();
  keep_tls_finding();
  finding_.ms_of(ProbeStep::tls) =
      std::chrono::duration<double, std::milli>(now_ - step_started_at_).count();
  finding_.round_trips += channel.version() == "TLSv1.2" ? 2u : 1u;
  finding_.round_trips += link_->has_session() ? 0u : 1u;  // the greeting
  step_started_at_ = now_;
  last_state_ = link_->has_session() ? SessionState::hello_tls : SessionState::greeting;
  recorder_.note(fmt::format("TLS begins: {}, {}", channel.version(), channel.cipher()),
                 ms_since_start(now_));
  recorder_.begin_tls();
}

// Called when the handshake is over, whichever way.
void PortProbe::keep_tls_finding() {
  const tls::Channel& channel = *link_->channel();
  TlsFinding found;
  found.version = channel.version();
  found.cipher = channel.cipher();
  found.resumed = channel.resumed();
  found.verified = channel.handshake_done() && environment_.tls_context->verifies_peer();
  for (const std::string& der : channel.peer_certificates()) {
    if (auto certificate = tls::read_certificate(der)) {
      found.certificates.push_back(std::move(*certificate));
    }
  }
  finding_.tls = std::move(found);
}

// Ports that a ClientHello opens are more often mistaken for ports with STARTTLS than dead.
void PortProbe::ask_for_tls(Instant now) {
  recorder_.note("no greeting came; trying TLS instead", ms_since_start(now));
  open_link();
  link_->ask_for_tls(diagnosis_timeout, now);
}

// Servers that wait for a ClientHello close when they have waited long enough.
void PortProbe::connect_to_ask(Instant now) {
  ::close(std::exchange(fd_, -1));
  asks_anew_ = true;
  phase_ = Phase::connecting;
  connect(now);
  deadline_ = now + diagnosis_timeout;
}

// ---- Input -------------------------------------------------------------------------------------

short PortProbe::events() const {
  const bool wants_to_write = phase_ == Phase::connecting || !sending_.empty();
  return static_cast<short>((phase_ == Phase::connecting ? 0 : POLLIN) |
                            (wants_to_write ? POLLOUT : 0));
}

Instant PortProbe::deadline() const {
  return phase_ == Phase::linked ? link_->deadline() : deadline_;
}

void PortProbe::act(short revents, Instant now) {
  RP_ASSERT(!done());
  now_ = now;
  if (phase_ == Phase::connecting) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
      connect_failed(error, now);
    } else if ((revents & POLLOUT) != 0) {
      connected(now);
    }
  } else if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
    receive(now);
  }
  send_output(now);
}

void PortProbe::receive(Instant now) {
  std::array<char, 16384> room;
  const ssize_t count = ::recv(fd_, room.data(), room.size(), 0);
  if (count > 0) {
    heard_anything_ = true;
    link_->feed({room.data(), static_cast<std::size_t>(count)}, now);
    note_progress(now);
    if (ready_ && link_->state() == LinkState::talking) {
      link_->session().quit(now);
    }
  } else if (count == 0) {
    stream_ended(0, now);
  } else if (errno != EAGAIN && errno != EINTR) {
    stream_ended(errno, now);
  }
}

void PortProbe::on_text_in(Bytes text) {
  note_progress(now_);  // several may come in one read
  const SessionState state = link_->session().state();
  for (SmtpAnswer& answer : recorder_.server(text, ms_since_start(now_))) {
    note_time(state, answer, now_);
    note_answer(state, std::move(answer));
  }
}

// The reply to what was under way when it came. If another came with it, the session is over.
void PortProbe::note_answer(SessionState state, SmtpAnswer answer) {
  switch (state) {
    case SessionState::greeting:
      finding_.greeting = finding_.greeting.code == 0 ? std::move(answer) : finding_.greeting;
      break;
    case SessionState::hello:
    case SessionState::hello_tls:
      if (answer.code / 100 == 2) {
        (state == SessionState::hello ? finding_.hello : finding_.hello_tls) =
            read_ehlo_reply(answer.text);
      }
      break;
    case SessionState::auth:
      finding_.auth.answer = std::move(answer);
      break;
    case SessionState::starttls:
    case SessionState::handshake:
    case SessionState::ready:
    case SessionState::quitting:
    case SessionState::closed:
      break;
  }
}

// A step is over with its reply; AUTH may have several.
void PortProbe::note_time(SessionState state, const SmtpAnswer& answer, Instant now) {
  const bool is_over = state < SessionState::auth && finding_.ms_of(step_of(state)) >= 0;
  const bool refused = state == SessionState::starttls && answer.code != 220;
  if (state <= SessionState::auth && state != SessionState::handshake && !is_over && !refused) {
    finding_.ms_of(step_of(state)) =
        std::chrono::duration<double, std::milli>(now - step_started_at_).count();
  }
}

void PortProbe::note_progress(Instant now) {
  if (done() || link_->state() == LinkState::over) {
    return;
  }
  const SessionState state =
      link_->has_session() ? link_->session().state() : SessionState::handshake;
  if (state != last_state_) {
    step_started_at_ = now;
    last_state_ = state;
  }
}

void PortProbe::stream_ended(int error, Instant now) {
  if (error == 0) {
    link_->feed_end(now);
  } else {
    const bool was_closed = error == ECONNRESET && link_->state() == LinkState::talking;
    link_->end(protocol::reason_of(was_closed ? CloseKind::peer_closed : CloseKind::io_error,
                                   Stage::local, error_text(error)));
  }
  if (!done() && link_->state() == LinkState::over) {
    connect_to_ask(now);
  }
}

// ---- Output ------------------------------------------------------------------------------------

void PortProbe::send_output(Instant now) {
  while (link_ && (!done() || link_->has_output())) {
    seal_output();
    if (sending_.empty() || fd_ < 0) {
      return;
    }
    const std::size_t before = sending_.size();
    flush(now);
    if (sending_.size() == before) {
      return;
    }
  }
}

void PortProbe::seal_output() {
  std::array<char, sealed_bytes_max> memory;
  for (bool more = true; more;) {
    ByteBuffer buffer(memory.data(), memory.size());
    static_cast<void>(link_->seal(buffer));
    sending_ += buffer.bytes();
    more = !buffer.empty();
  }
}

void PortProbe::on_text_out(Bytes text, SessionState said_in) {
  const bool is_auth = said_in == SessionState::auth;
  recorder_.client(text, is_auth, ms_since_start(now_));
  if (is_auth && text.starts_with("AUTH ")) {
    finding_.auth.tried = true;
    finding_.auth.mechanism = text.substr(5, text.find_first_of(" \r", 5) - 5);
  }
  finding_.round_trips += ready_ ? 0 : 1;
}

void PortProbe::flush(Instant now) {
  const ssize_t count = ::send(fd_, sending_.data(), sending_.size(), MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN && errno != EINTR) {
    // Dead, but a reply may have come before that: the next receive tells.
    sending_.clear();
    return;
  }
  sending_.erase(0, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (sending_.empty() && phase_ == Phase::linked) {
    link_->handed_over(now);
  }
}

// ---- Endings -----------------------------------------------------------------------------------

void PortProbe::expire(Instant now) {
  now_ = now;
  switch (phase_) {
    case Phase::connecting:
      connect_failed(ETIMEDOUT, now);
      break;
    case Phase::linked:
      link_->expire(now);
      if (!done() && link_->state() == LinkState::over) {
        ask_for_tls(now);
      }
      break;
    case Phase::idle:
    case Phase::done:
      break;
  }
  send_output(now);
}

void PortProbe::give_up(Instant now) {
  now_ = now;
  constexpr const char* detail = "the probe as a whole took too long";
  switch (phase_) {
    case Phase::connecting:
      if (asks_anew_) {
        finish();  // its fault is known
      } else {
        fail(ProbeFault::no_answer, ProbeStep::connect, detail);
      }
      break;
    case Phase::linked:
      if (link_->asks_for_tls() || ready_) {
        finish();  // its fault is known, or there is none
      } else {
        fail(ProbeFault::timed_out, step_of(last_state_), detail);
      }
      break;
    case Phase::idle:
    case Phase::done:
      break;
  }
}

void PortProbe::on_ready() {
  ready_ = true;
  finding_.auth.accepted = finding_.auth.tried;
}

void PortProbe::on_closed(const protocol::CloseReason& reason) {
  if (link_->asks_for_tls()) {
    hear_tls_answer(reason);
    return;
  }
  if (ready_) {
    finish();  // nothing that comes behind AUTH matters
    return;
  }
  if (link_->tls_error() != nullptr) {
    fail_tls(*link_->tls_error());
    return;
  }
  const ProbeFault fault = fault_of(reason, last_state_);
  finding_.fault_answer = answer_of(reason.code, reason.enhanced, reason.text);
  finding_.fault = fault;
  finding_.fault_step = step_of(last_state_);
  finding_.fault_detail = reason.detail;
  const bool quiet = fault == ProbeFault::silent ||
                     (fault == ProbeFault::closed && finding_.fault_step == ProbeStep::greeting);
  const bool may_be_tls = quiet && !heard_anything_ &&
                          finding_.security == TransportSecurity::starttls &&
                          environment_.tls_context != nullptr;
  if (!may_be_tls) {
    finish();
  }
}

void PortProbe::fail(ProbeFault fault, ProbeStep step, std::string detail) {
  finding_.fault = fault;
  finding_.fault_step = step;
  finding_.fault_detail = std::move(detail);
  finish();
}

// A certificate that does not please is an answer, too; without any the fault is as it was.
void PortProbe::hear_tls_answer(const protocol::CloseReason& reason) {
  if (link_->tls_answer() == TlsAnswer::tls) {
    finding_.fault = ProbeFault::tls_expected;
  } else if (link_->tls_answer() == TlsAnswer::other) {
    const Bytes line = first_line_of(link_->answer());
    finding_.fault = ProbeFault::not_smtp;
    finding_.fault_detail =
        fmt::format("{}; {}", in_quotes(line), protocol::foreign_protocol_hint(line));
  }
  if (reason.kind == CloseKind::quit) {
    recorder_.note("TLS is answered here", ms_since_start(now_));
  }
  finish();
}

void PortProbe::fail_tls(const tls::TlsError& error) {
  if (error.kind == tls::TlsErrorKind::not_tls) {
    static_cast<void>(recorder_.server(link_->answer(), ms_since_start(now_)));
    finding_.fault_answer = {0, {}, std::string(first_line_of(link_->answer()))};
  }
  recorder_.note(fmt::format("TLS failed: {}", tls::name_of(error.kind)), ms_since_start(now_));
  if (link_->channel() != nullptr) {
    keep_tls_finding();
    finding_.tls->error = error;
  }
  fail(fault_of(error.kind), ProbeStep::tls, error.message());
}

void PortProbe::finish() {
  recorder_.finish(ms_since_start(now_));
  phase_ = Phase::done;
  deadline_ = never;
  if (link_) {
    static_cast<void>(link_->say_farewell());
  }
}

}  // namespace ringpost::cli
