// The problem: three machines, the session, TLS and the ring, each with a pace of its own, and a
// socket that may die in any of their states. The idea: octets are pulled, never pushed. What the
// ring received is fed to TLS and from there to the session at once; what the session wants to say
// waits in it until no send is under way, and is sealed in one go into one slab, so that a send
// carries everything that is ready and "handed to the kernel" is a moment that this file can name.
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

// Whether it was TLS that failed, if perhaps for want of a certificate of ours.
bool is_answer_in_tls(tls::TlsErrorKind kind) {
  return kind != tls::TlsErrorKind::closed && kind != tls::TlsErrorKind::not_tls &&
         kind != tls::TlsErrorKind::internal && kind != tls::TlsErrorKind::local_file;
}

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

// Nothing about these changes by trying again.
bool is_permanent(tls::TlsErrorKind kind) {
  switch (kind) {
    case tls::TlsErrorKind::unknown_authority:
    case tls::TlsErrorKind::wrong_host:
    case tls::TlsErrorKind::expired:
    case tls::TlsErrorKind::not_yet_valid:
    case tls::TlsErrorKind::bad_certificate:
    case tls::TlsErrorKind::no_common_version:
    case tls::TlsErrorKind::not_tls:
    case tls::TlsErrorKind::local_file:
      return true;
    case tls::TlsErrorKind::peer_alert:
    case tls::TlsErrorKind::closed:
    case tls::TlsErrorKind::truncated:
    case tls::TlsErrorKind::internal:
      return false;
  }
  return false;
}

}  // namespace

Connection::Connection(const ConnectionEnvironment& environment, io::Owner owner, bool canary)
    : environment_(environment), owner_(owner), canary_(canary), dial_(*environment.io, owner) {}

Connection::~Connection() { RP_ASSERT(finished()); }

bool Connection::finished() const {
  return (phase_ == Phase::idle || phase_ == Phase::closed) && dial_.quiet();
}

Instant Connection::deadline() const {
  const bool opening = phase_ == Phase::handshake || phase_ == Phase::talking;
  const Instant ready_by = opening && !was_ready_ ? ready_by_ : never;
  switch (phase_) {
    case Phase::connecting:
      return dial_.deadline();
    case Phase::talking:
      return std::min({session_->deadline(), ready_by,
                       awaits_greeting() ? std::min(silence_at_, leave_at_) : never});
    case Phase::idle:
    case Phase::handshake:
    case Phase::farewell:
    case Phase::closing:
    case Phase::closed:
      break;
  }
  return std::min(deadline_, ready_by);
}

// ---- Opening
// -------------------------------------------------------------------------------------

void Connection::open(Opening opening) {
  RP_ASSERT(phase_ == Phase::idle);
  knowledge_at_start_ = opening.knowledge;
  if (const protocol::TlsMode mode = tls_mode_of(opening.security);
      mode != environment_.session->tls_mode) {
    auto own = std::make_unique<protocol::SessionOptions>(*environment_.session);
    own->tls_mode = mode;
    own_session_options_ = std::move(own);
  }
  login_ = std::move(opening.login);
  ready_by_ = opening.ready_by;
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

const protocol::SessionOptions& Connection::session_options() const {
  return own_session_options_ ? *own_session_options_ : *environment_.session;
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
  if (asks_for_tls_ || session_options().tls_mode == protocol::TlsMode::implicit) {
    start_handshake();
  } else {
    start_session();
  }
}

void Connection::start_session() {
  phase_ = Phase::talking;
  protocol::SessionListener& listener = *this;
  const Instant now = environment_.io->now();
  session_.emplace(session_options(), listener, now, knowledge_at_start_, login_);
  if (environment_.frontier != nullptr) {
    session_->go_with(*environment_.frontier);
  }
  // With little time until the session must be ready, half of it is for whoever comes next.
  silence_ = std::min<Duration>(limits::greeting_patience, (ready_by_ - now) / 2);
  silence_at_ = now + silence_;
  leave_at_ = never;
  if (canary_ && has_others_) {
    leave_at_ = dial_.others_left() ? silence_at_ : now + greeting_patience_;
  }
  if (session_options().client_name.empty()) {
    session_->introduce_as(address_literal_towards(address()));
  }
}

void Connection::start_handshake() {
  phase_ = Phase::handshake;
  const Duration timeout = environment_.endpoint->tls_timeout;
  deadline_ =
      environment_.io->now() + (asks_for_tls_ ? std::min(timeout, question_timeout) : timeout);
  auto channel = tls::Channel::create(*environment_.tls_context, environment_.endpoint->host,
                                      environment_.tickets);
  if (!channel) {
    fail_tls(channel.error());
    return;
  }
  channel_ = std::move(*channel);
  go_on_with_handshake();
}

void Connection::go_on_with_handshake() {
  const auto done = channel_->handshake();
  if (!done) {
    fail_tls(done.error());
  } else if (*done) {
    handshake_done();
  }
}

void Connection::handshake_done() {
  if (asks_for_tls_) {
    tls_answer_ = TlsAnswer::tls;
    ended(reason_of(protocol::CloseKind::quit, Stage::tls));
    return;
  }
  if (session_) {
    phase_ = Phase::talking;
    session_->tls_established(environment_.io->now());
  } else {
    start_session();
  }
  read_plaintext();
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
  if (phase_ == Phase::handshake) {
    const bool may_be_tls = completion.data.front() < ' ';  // RFC 8446 5.1: 20 to 24
    if (first_answer_.empty() && !may_be_tls) {
      first_answer_ = completion.data.substr(0, limits::quoted_line_bytes_max);
    }
    channel_->feed(completion.data);
    go_on_with_handshake();
  } else if (phase_ == Phase::talking && channel_) {
    channel_->feed(completion.data);
    read_plaintext();
  } else if (phase_ == Phase::talking) {
    session_->receive(completion.data, environment_.io->now());
    if (session_->state() == protocol::SessionState::handshake) {
      start_handshake();
    }
  }
}

void Connection::read_plaintext() {
  while (phase_ == Phase::talking) {
    const auto result = channel_->read();
    if (!result) {
      fail_tls(result.error());
      return;
    }
    if (result->state == tls::ReadState::need_more) {
      return;
    }
    if (result->state == tls::ReadState::closed) {
      session_->transport_closed(
          reason_of(protocol::CloseKind::peer_closed, Stage::local, "it ended TLS"));
      return;
    }
    session_->receive(result->plaintext, environment_.io->now());
  }
}

// The server ended the stream, or the connection broke.
void Connection::stream_ended(const io::Completion& completion) {
  if (phase_ == Phase::handshake) {
    if (completion.result == 0) {
      channel_->feed_end();
      go_on_with_handshake();
    } else {
      fail(reason_of(protocol::CloseKind::io_error, Stage::tls,
                     std::string("in the TLS handshake: ") + std::strerror(-completion.result)));
    }
  } else if (phase_ == Phase::talking) {
    if (completion.result < 0) {
      fail(reason_of(protocol::CloseKind::io_error, Stage::local,
                     std::strerror(-completion.result)));
    } else {
      fail(reason_of(protocol::CloseKind::peer_closed, Stage::local,
                     channel_ ? "without ending TLS first" : ""));
    }
  }
}

void Connection::sent(std::int32_t result) {
  send_under_way_ = false;
  const bool whole = result >= 0 && static_cast<std::size_t>(result) == sending_.size();
  environment_.send_buffers->give_back(sending_);
  if (!whole) {
    // The connection is dead, but replies may have come before it died: the receive tells the end.
    sending_broken_ = true;
  }
  if (phase_ == Phase::farewell && (sending_broken_ || !channel_->has_output())) {
    close_socket();
  }
}

// ---- Sending
// -------------------------------------------------------------------------------------

void Connection::submit(Delivery& delivery) {
  had_message_ = true;
  session_->submit(delivery, environment_.io->now());
}

bool Connection::seal() {
  const bool may_send =
      phase_ == Phase::handshake || phase_ == Phase::talking || phase_ == Phase::farewell;
  if (!may_send || send_under_way_ || sealed_ || sending_broken_) {
    return true;
  }
  const bool wanted =
      (channel_ && channel_->has_output()) || (phase_ == Phase::talking && session_->has_output());
  if (!wanted) {
    return true;
  }
  if (!environment_.send_buffers->available()) {
    return false;
  }
  ByteBuffer buffer = environment_.send_buffers->lend();
  if (channel_) {
    channel_->take_output(buffer);
  }
  if (phase_ == Phase::talking) {
    if (channel_ && !seal_output(buffer)) {
      environment_.send_buffers->give_back(buffer);
      return true;
    }
    if (!channel_) {
      copy_output(buffer);
    }
  }
  if (buffer.empty()) {
    environment_.send_buffers->give_back(buffer);
    return true;
  }
  sending_ = buffer;
  sealed_ = true;
  if (session_) {
    session_->about_to_hand_over(session_->output_offset());
  }
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
  if (session_) {
    session_->handed_over(session_->output_offset(), environment_.io->now());
  }
}

void Connection::withhold() {
  RP_ASSERT(sealed_);
  sealed_ = false;
  environment_.send_buffers->give_back(sending_);
  // What TLS has sealed cannot be taken back: nothing else can follow.
  sending_broken_ = true;
  abort();
}

// Fills the buffer with records. False: TLS failed, and the connection with it. Copies are made
// into the room, unless the message's own octets are read; by TLS into its record; from there into
// the buffer.
bool Connection::seal_output(ByteBuffer& buffer) {
  const std::span<char> room = environment_.plaintext_room;
  while (buffer.room() >= channel_->sealed_bytes_max(room.size())) {
    const Bytes plaintext = session_->output(room);
    if (plaintext.empty()) {
      break;
    }
    const std::size_t before = buffer.size();
    if (const auto sealed = channel_->seal(plaintext, buffer); !sealed) {
      fail_tls(sealed.error());
      return false;
    }
    WorkerStats& stats = *environment_.stats;
    stats.tls_records.add((plaintext.size() + room.size() - 1) / room.size());
    stats.bytes_copied.add((plaintext.data() == room.data() ? plaintext.size() : 0) +
                           plaintext.size() + (buffer.size() - before));
  }
  return true;
}

void Connection::copy_output(ByteBuffer& buffer) {
  const std::span<char> room = environment_.plaintext_room;
  while (buffer.room() >= room.size()) {
    const Bytes plaintext = session_->output(room);
    if (plaintext.empty()) {
      break;
    }
    buffer.append(plaintext);
    environment_.stats->bytes_copied.add((plaintext.data() == room.data() ? plaintext.size() : 0) +
                                         plaintext.size());
  }
}

// ---- Endings
// -------------------------------------------------------------------------------------

void Connection::quit() {
  if (session_) {
    session_->quit(environment_.io->now());
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
    case Phase::handshake:
      fail(reason_of(protocol::CloseKind::timeout, Stage::tls, "TLS handshake"));
      break;
    case Phase::talking:
      if (awaits_greeting() && is_left_for_others(now)) {
        break;
      }
      if (session_->deadline() <= now) {
        session_->expire(now);
      } else if (!was_ready_ && ready_by_ <= now) {
        fail(reason_of(protocol::CloseKind::timeout, Stage::local,
                       "the patience with the endpoint ended before the session was ready"));
      }
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

void Connection::fail_tls(const tls::TlsError& error) {
  if (asks_for_tls_) {
    tls_answer_ = is_answer_in_tls(error.kind) ? TlsAnswer::tls : tls_answer_;
    const bool foreign = !protocol::foreign_protocol_hint(first_answer_).empty();
    tls_answer_ = foreign ? TlsAnswer::other : tls_answer_;
  }
  protocol::CloseReason reason =
      reason_of(protocol::CloseKind::tls_failed, Stage::tls, error.message());
  reason.permanent = is_permanent(error.kind);
  if (error.kind == tls::TlsErrorKind::not_tls && !session_) {
    reason.detail = clear_text_detail(first_answer_, *environment_.endpoint, address().port());
  } else if (error.kind == tls::TlsErrorKind::closed && !session_) {
    reason.detail += "; a port that speaks clear text first (587, smtp://) may do so";
  }
  fail(std::move(reason));
}

void Connection::fail(protocol::CloseReason reason) {
  if (session_) {
    session_->transport_closed(std::move(reason));  // comes back as on_closed()
  } else if (phase_ == Phase::connecting || phase_ == Phase::handshake) {
    ended(reason);
  }
}

void Connection::ended(const protocol::CloseReason& reason) {
  environment_.listener->on_ended(*this, reason);
  if (phase_ == Phase::idle) {
    return;
  }
  if (channel_ && channel_->handshake_done()) {
    channel_->close_notify();
  }
  const bool last_words = channel_ && channel_->has_output() && !sending_broken_;
  const bool worth_it =
      reason.kind == protocol::CloseKind::quit || reason.kind == protocol::CloseKind::tls_failed;
  if (last_words && worth_it && receive_under_way_) {
    phase_ = Phase::farewell;  // the worker pumps it once more
    deadline_ = environment_.io->now() + farewell_timeout;
  } else {
    close_socket();
  }
}

void Connection::close_socket() {
  const bool connected = dial_.state() == Dial::State::connected;
  phase_ = Phase::closing;
  deadline_ = never;
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
  // The session is in the state `handshake` now; received() sees it when the session has returned.
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

void Connection::on_closed(const protocol::CloseReason& reason) { ended(reason); }

}  // namespace ringpost::engine
