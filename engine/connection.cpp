// The problem: a link and a ring, each with a pace of its own, and a socket that may die in any of
// their states. The idea: octets are pulled, never pushed. What the ring received is fed to the
// link at once; what its session wants to say waits in it until no send is under way, and is sealed
// in one go into one slab, so that a send carries everything that is ready and "handed to the
// kernel" is a moment that this file can name.
//
// A connection is destroyed when the ring has ended all its operations, never before: completions
// carry its number, and the kernel may still read its slab.
#include "engine/connection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "codec/text/json_text.h"
#include "engine/client_name.h"
#include "engine/protocol/opening_hint.h"
#include "engine/session_options.h"

namespace ringpost::engine {

namespace {

// How long the last octets of a dead connection may take.
constexpr Duration farewell_timeout = std::chrono::seconds(1);
// A server that knows TLS answers a ClientHello within a round trip.
constexpr Duration question_timeout = std::chrono::seconds(5);

// What came in answer to the first octets of TLS, and what to change.
std::string clear_text_detail(Bytes came, const EndpointOptions& endpoint, std::uint16_t port) {
  const Bytes line = came.substr(0, came.find_first_of("\r\n"));
  std::string detail = endpoint.host + " does not speak TLS on this port but says ";
  codec::append_json_string_cut(detail, line, limits::quoted_line_bytes_max);
  const std::string_view foreign = protocol::foreign_protocol_hint(line);
  if (!foreign.empty()) {
    return detail.append(": ").append(foreign);
  }
  const bool is_ipv6 = endpoint.host.find(':') != std::string::npos;
  return detail + ": this port speaks clear text first: use smtp://" +
         (is_ipv6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(port) +
         " (STARTTLS)";
}

}  // namespace

Connection::Connection(const ConnectionEnvironment& environment, io::Owner owner, bool canary)
    : environment_(environment),
      owner_(owner),
      canary_(canary),
      dial_(*environment.io, owner),
      link_(environment.link, link_options_, *this) {}

Connection::~Connection() { RP_ASSERT(finished()); }

bool Connection::finished() const {
  return (phase_ == Phase::idle || phase_ == Phase::closed) && dial_.quiet();
}

Instant Connection::deadline() const {
  switch (phase_) {
    case Phase::connecting:
      return dial_.deadline();
    case Phase::open:
      return std::min({link_.deadline(), was_ready_ ? never : ready_by_,
                       awaits_security() ? secured_by_ : never,
                       awaits_greeting() ? std::min(silence_at_, leave_at_) : never});
    case Phase::farewell:
      return farewell_by_;
    case Phase::idle:
    case Phase::closing:
    case Phase::closed:
      break;
  }
  return never;
}

// ---- Opening
// -------------------------------------------------------------------------------------

void Connection::open(Opening opening) {
  RP_ASSERT(phase_ == Phase::idle);
  stirred_at_ = environment_.io->now();
  link_options_.session = environment_.session;
  link_options_.knowledge = opening.knowledge;
  link_options_.login = std::move(opening.login);
  if (const protocol::TlsMode mode = tls_mode_of(opening.security);
      mode != environment_.session->tls_mode) {
    auto own = std::make_unique<protocol::SessionOptions>(*environment_.session);
    own->tls_mode = mode;
    own_session_options_ = std::move(own);
    link_options_.session = own_session_options_.get();
  }
  ready_by_ = opening.ready_by;
  secured_by_ = opening.secured_by;
  greeting_patience_ = opening.greeting_patience;
  has_others_ = opening.addresses.size() > 1;
  dial_.begin(std::move(opening.addresses), environment_.endpoint->connect_timeout,
              opening.connect_by);
  if (dial_.state() == Dial::State::failed) {
    ended(dial_.failure());
    return;
  }
  phase_ = Phase::connecting;
}

void Connection::ask_for_tls(const io::SocketAddress& address) {
  asks_for_tls_ = true;
  Opening opening;
  opening.addresses = {address};
  open(std::move(opening));
}

// The dial may have come to its end.
void Connection::dialed() {
  if (phase_ != Phase::connecting || dial_.state() == Dial::State::dialing) {
    return;
  }
  if (dial_.state() != Dial::State::connected) {
    fail(dial_.failure());
    return;
  }
  handle_ = dial_.handle();
  receive_under_way_ = true;
  environment_.io->receive(handle_, owner_);
  phase_ = Phase::open;
  const Instant now = environment_.io->now();
  if (environment_.session->steps != nullptr) {
    environment_.session->steps->on_step(Stage::connect, now - stirred_at_);
  }
  if (asks_for_tls_) {
    link_.ask_for_tls(question_timeout, now);
    return;
  }
  if (link_options_.session->client_name.empty()) {
    link_options_.client_name = address_literal_towards(address());
  }
  link_.begin(now);
  if (has_session()) {
    session_began(now);
  }
}

// From now on a greeting is due.
void Connection::session_began(Instant now) {
  // With little time until the session must be ready, half of it is for whoever comes next.
  silence_ = std::min<Duration>(limits::greeting_patience, (ready_by_ - now) / 2);
  silence_at_ = now + silence_;
  leave_at_ = never;
  if (canary_ && has_others_) {
    leave_at_ = dial_.others_left() ? silence_at_ : now + greeting_patience_;
  }
}

bool Connection::certificate_was_judged() const {
  const tls::TlsError* const error = link_.tls_error();
  return error != nullptr && tls::is_about_certificate(error->kind);
}

// ---- Completions
// ---------------------------------------------------------------------------------

void Connection::complete(const io::Completion& completion) {
  if (dial_.owns(completion.handle)) {
    dial_.complete(completion);
    dialed();
  } else {
    complete_own(completion);
  }
  const bool quiet = !receive_under_way_ && !send_under_way_ && dial_.quiet();
  if (phase_ == Phase::closing && !close_under_way_ && quiet) {
    phase_ = Phase::closed;
  }
}

void Connection::complete_own(const io::Completion& completion) {
  switch (completion.operation) {
    case io::Operation::receive:
      received(completion);
      break;
    case io::Operation::send:
      sent(completion.result);
      break;
    case io::Operation::close:
      close_under_way_ = false;
      break;
    case io::Operation::connect:
    case io::Operation::accept:
    case io::Operation::wake:
      RP_ASSERT(false);
  }
}

void Connection::received(const io::Completion& completion) {
  receive_under_way_ = completion.more;
  if (completion.result <= 0) {
    stream_ended(completion);
    return;
  }
  if (phase_ != Phase::open) {
    return;
  }
  const Instant now = environment_.io->now();
  stirred_at_ = now;
  const bool had_session = has_session();
  link_.feed(completion.data, now);
  if (!had_session && has_session()) {
    session_began(now);
  }
}

// The server ended the stream, or the connection broke.
void Connection::stream_ended(const io::Completion& completion) {
  if (phase_ != Phase::open) {
    return;
  }
  if (completion.result == 0) {
    link_.feed_end(environment_.io->now());
    return;
  }
  const bool in_handshake = link_.state() == LinkState::handshake;
  fail(reason_of(protocol::CloseKind::io_error, in_handshake ? Stage::tls : Stage::local,
                 std::string(in_handshake ? "in the TLS handshake: " : "") +
                     std::strerror(-completion.result)));
}

void Connection::sent(std::int32_t result) {
  send_under_way_ = false;
  const bool whole = result >= 0 && static_cast<std::size_t>(result) == sending_.size();
  environment_.send_buffers->give_back(sending_);
  if (whole) {
    stirred_at_ = environment_.io->now();
  } else {
    // The connection is dead, but replies may have come before it died: the receive tells the end.
    sending_broken_ = true;
  }
  if (phase_ == Phase::farewell && (sending_broken_ || !link_.has_output())) {
    close_socket();
  }
}

// ---- Sending
// -------------------------------------------------------------------------------------

void Connection::submit(Delivery& delivery) {
  had_message_ = true;
  if (idle()) {
    stirred_at_ = environment_.io->now();
  }
  link_.session().submit(delivery, environment_.io->now());
}

bool Connection::seal() {
  const bool may_send = phase_ == Phase::open || phase_ == Phase::farewell;
  if (!may_send || send_under_way_ || sealed_ || sending_broken_ || !link_.has_output()) {
    return true;
  }
  if (!environment_.send_buffers->available()) {
    return false;
  }
  ByteBuffer buffer = environment_.send_buffers->lend();
  const LinkSealed done = link_.seal(buffer);
  if (buffer.empty()) {
    environment_.send_buffers->give_back(buffer);
    return true;
  }
  environment_.stats->tls_records.add(done.tls_records);
  environment_.stats->bytes_copied.add(done.bytes_copied);
  sending_ = buffer;
  sealed_ = true;
  return true;
}

void Connection::send() {
  RP_ASSERT(sealed_);
  sealed_ = false;
  if (sending_broken_) {
    environment_.send_buffers->give_back(sending_);
    return;
  }
  send_under_way_ = true;
  environment_.io->send(handle_, sending_.bytes(), owner_);
  link_.handed_over(environment_.io->now());
}

void Connection::withhold() {
  RP_ASSERT(sealed_);
  sealed_ = false;
  environment_.send_buffers->give_back(sending_);
  // What TLS has sealed cannot be taken back: nothing else can follow.
  sending_broken_ = true;
  abort();
}

// ---- Endings
// -------------------------------------------------------------------------------------

void Connection::quit() {
  if (has_session()) {
    link_.session().quit(environment_.io->now());
  } else if (phase_ != Phase::idle) {
    fail(reason_of(protocol::CloseKind::quit, Stage::local));
  }
}

void Connection::abort() { fail(reason_of(protocol::CloseKind::aborted, Stage::local)); }

void Connection::expire(Instant now) {
  switch (phase_) {
    case Phase::connecting:
      dial_.expire(now);
      dialed();
      break;
    case Phase::open:
      expire_link(now);
      break;
    case Phase::farewell:
      close_socket();
      break;
    case Phase::idle:
    case Phase::closing:
    case Phase::closed:
      break;
  }
}

void Connection::expire_link(Instant now) {
  if (is_left_for_next_port(now) || (awaits_greeting() && is_left_for_others(now))) {
    return;
  }
  // A handshake has the time that is left until the session must be ready, and no more.
  if (link_.state() == LinkState::handshake || link_.deadline() <= now) {
    link_.expire(now);
  } else if (!was_ready_ && ready_by_ <= now) {
    fail(reason_of(protocol::CloseKind::timeout, Stage::local,
                   "the patience with the endpoint ended before the session was ready"));
  }
}

bool Connection::awaits_security() const {
  return awaits_greeting() || link_.state() == LinkState::handshake;
}

// Without a word of the silence: the port's reason is told when another one serves.
bool Connection::is_left_for_next_port(Instant now) {
  if (now < secured_by_ || !awaits_security()) {
    return false;
  }
  if (link_.state() == LinkState::handshake) {
    link_.expire(now);
  } else {
    fail(reason_of(protocol::CloseKind::timeout, Stage::greeting,
                   "no greeting in time, and the endpoint has other ports"));
  }
  return true;
}

// Behind the time in which a server should have greeted. Words without end hold an address as
// silence does, but are no port that waits for TLS.
bool Connection::is_left_for_others(Instant now) {
  const bool is_silent = ungreeted();
  if (silence_at_ <= now) {
    silence_at_ = never;
    if (is_silent) {
      environment_.listener->on_silence(*this);
    }
  }
  if (leave_at_ > now || !awaits_greeting()) {
    return false;
  }
  fail(reason_of(protocol::CloseKind::timeout, Stage::greeting,
                 std::string(is_silent ? "no greeting in time" : "no end of the greeting in time") +
                     ", and the name has other addresses"));
  return true;
}

void Connection::fail(protocol::CloseReason reason) {
  if (phase_ == Phase::connecting) {
    ended(reason);
  } else {
    link_.end(std::move(reason));  // comes back as on_closed()
  }
}

void Connection::ended(const protocol::CloseReason& reason) {
  environment_.listener->on_ended(*this, reason);
  if (phase_ == Phase::idle) {
    return;
  }
  const bool last_words = link_.say_farewell() && !sending_broken_;
  const bool worth_it =
      reason.kind == protocol::CloseKind::quit || reason.kind == protocol::CloseKind::tls_failed;
  if (last_words && worth_it && receive_under_way_) {
    phase_ = Phase::farewell;  // the worker pumps it once more
    farewell_by_ = environment_.io->now() + farewell_timeout;
  } else {
    close_socket();
  }
}

void Connection::close_socket() {
  const bool connected = dial_.state() == Dial::State::connected;
  phase_ = Phase::closing;
  dial_.stop();
  if (connected) {
    close_under_way_ = true;
    environment_.io->close(handle_, owner_);
  } else if (dial_.quiet()) {
    phase_ = Phase::closed;
  }
}

// ---- Heard from the session
// -----------------------------------------------------------------------

void Connection::on_start_tls() {
  // The session is in the state `handshake` now; the link sees it when the session has returned.
}

void Connection::on_ready() {
  was_ready_ = true;
  ready_at_ = environment_.io->now();
  environment_.listener->on_ready(*this);
}

void Connection::on_end_of_data(Delivery& delivery, std::uint32_t begin, std::uint32_t end) {
  environment_.listener->on_end_of_data(delivery, begin, end);
}

void Connection::on_verdict(Delivery& delivery, std::uint32_t index,
                            const protocol::Verdict& verdict) {
  environment_.listener->on_verdict(*this, delivery, index, verdict);
}

void Connection::on_delivery_done(Delivery& delivery) {
  environment_.listener->on_delivery_done(*this, delivery);
}

void Connection::on_fall_back(const protocol::CloseReason& why) {
  environment_.listener->on_fall_back(why);
}

void Connection::on_unruled(Stage stage, const codec::Reply& reply,
                            const protocol::Ruling& ruling) {
  environment_.listener->on_unruled(stage, reply, ruling);
}

protocol::SaidInARow Connection::on_repeated(Delivery& delivery, const protocol::Ruling& ruling) {
  return environment_.listener->on_repeated(delivery, ruling);
}

bool Connection::on_one_too_many() { return environment_.listener->on_one_too_many(); }

void Connection::on_closed(const protocol::CloseReason& reason) {
  const tls::TlsError* error = link_.tls_error();
  if (error == nullptr || has_session()) {
    ended(reason);
    return;
  }
  protocol::CloseReason explained = reason;
  if (error->kind == tls::TlsErrorKind::not_tls) {
    explained.detail = clear_text_detail(link_.answer(), *environment_.endpoint, address().port());
  } else if (error->kind == tls::TlsErrorKind::closed) {
    explained.detail += "; a port that speaks clear text first (587, smtp://) may do so";
  }
  ended(explained);
}

}  // namespace ringpost::engine
