// The problem: wolfSSL wants to read and write a socket whenever it likes; ringpost's octets come
// from one ring and leave in one send per session, and an idle session must cost little memory.
//
// The idea: the two I/O callbacks work on memory. Reading takes from the view that feed() lent and
// says "want read" when it is used up; writing always succeeds, while seal() runs straight into the
// caller's buffer, otherwise into a small one here. So wolfSSL never keeps ciphertext of its own,
// its retry rules never apply, and the plaintext of a read stands in the context's scratch memory.
//
// What a failure was is worked out once, where it happens, from the number, the alert, the first
// octets and whether the transport had ended; then the channel is dead and repeats it.
//
// Limits: no renegotiation (not in the build), no 0-RTT (a server speaks first in SMTP, and early
// data can be replayed), no client-side revocation checks.
#include "tls/channel.h"

#include <algorithm>
#include <array>
#include <climits>
#include <functional>
#include <utility>

#include <fmt/format.h>
// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/error-ssl.h>
// clang-format on

#include "tls/certificate_path.h"
#include "tls/host_name.h"
#include "tls/peer_check.h"
#include "tls/record_sealer.h"
#include "tls/ticket_answer.h"
#include "tls/ticket_cache.h"
#include "tls/wolfssl_error.h"
#include <ringpost/limits.h>

namespace ringpost::tls {

namespace {

// What a record adds at most: header 5, explicit nonce 8 (TLS 1.2) or type 1 (TLS 1.3), tag 16; and
// some to spare.
constexpr std::size_t record_overhead_max = 32;
// A KeyUpdate in front, when the key has sealed its share.
constexpr std::size_t key_update_bytes_max = 64;
// RFC 8446 5.5: an AES-GCM key is good for 2^24.5 full records. wolfSSL 5.7 means to see to that
// itself, but its limit has a slip in it that makes it 2^40.
constexpr std::uint32_t records_per_key_max = 1u << 24;
// Usual tickets have 200 octets; wolfSSL fails a handshake that offers more than MAX_PSK_ID_LEN.
constexpr std::size_t ticket_bytes_max = 1536;
// A server sends its TLS 1.3 tickets right behind the handshake; later ones are seen at the end.
constexpr int ticket_looks = 4;
// Of a peer that speaks no TLS this much is shown.
constexpr std::size_t first_octets_kept = 32;

constexpr std::uint8_t record_type_alert = 21;
constexpr std::uint8_t record_type_first = 20;  // change_cipher_spec
constexpr std::uint8_t record_type_last = 24;   // heartbeat
constexpr char record_version_major = 3;

std::size_t records_for(std::size_t plaintext_bytes) {
  return (plaintext_bytes + limits::tls_record_bytes_max - 1) / limits::tls_record_bytes_max;
}

}  // namespace

struct Channel::State {
  Context& context;
  std::string host;  // without trailing dot; empty on a server
  WOLFSSL* ssl = nullptr;
  TicketCache* tickets = nullptr;

  Bytes input;
  std::string held;              // of the first flight, until it says whether the ticket was taken
  ByteBuffer* direct = nullptr;  // seal()'s output, while it runs
  std::string pending;           // what wolfSSL wrote at other times
  std::size_t pending_taken = 0;

  PeerCheck check;
  std::unique_ptr<RecordSealer> sealer;   // null: wolfSSL makes the records
  RecordNonce last_nonce{};               // of wolfSSL's own, until there is a sealer
  std::vector<std::string> certificates;  // the server's, where they are kept
  std::unique_ptr<TlsError> dead;
  std::size_t ticket_kept = 0;  // a hash of the ticket that was kept last
  std::array<char, first_octets_kept> first{};
  std::uint8_t first_count = 0;
  std::array<char, record_header_bytes> last{};  // octets that wolfSSL has taken
  std::int8_t ticket_looks_left = ticket_looks;
  std::uint32_t records_left = records_per_key_max;
  bool done = false;
  bool tls_1_3 = false;      // known when done
  bool closed = false;       // the peer said close_notify
  bool close_sent = false;   // we did
  bool input_ended = false;  // feed_end()
  bool end_was_met = false;  // wolfSSL wanted more and was told that there is none
  bool ticket_offered = false;
  bool ticket_is_old = false;    // it is one of TLS 1.2
  bool ticket_in_doubt = false;  // and the server has not said yet whether it takes it
  bool hello_sent = false;

  State(Context& shared, std::string_view asked_host, TicketCache* cache)
      : context(shared), host(asked_host), tickets(cache) {
    check.host = host;
    check.trusted = context.trusted();
  }
  ~State() {
    keep_ticket();
    wolfSSL_free(ssl);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  static int on_receive(WOLFSSL*, char* buffer, int size, void* state);
  static int on_send(WOLFSSL*, char* data, int size, void* state);
  static int on_record(WOLFSSL*, int encrypts, unsigned char* out, const unsigned char* in,
                       word32 size, const unsigned char* iv, word32 iv_size, unsigned char* tag,
                       word32 tag_size, const unsigned char* header, word32 header_size);

  [[nodiscard]] std::string ticket_key() const;
  [[nodiscard]] std::size_t ticket_hash() const;
  void offer_ticket();
  void drop_offered_ticket();
  void look_for_ticket_verdict();
  void finish_offer();
  void keep_ticket();

  void remember(Bytes octets);
  [[nodiscard]] bool set_up();
  [[nodiscard]] TlsError explain(int code) const;
  Failure<TlsError> fail(TlsError error);
};

// ---- wolfSSL's side ----

int Channel::State::on_receive(WOLFSSL*, char* buffer, int size, void* state) {
  auto& self = *static_cast<State*>(state);
  if (self.ticket_in_doubt) {
    self.look_for_ticket_verdict();
  }
  const bool from_held = !self.held.empty() && !self.ticket_in_doubt;
  const Bytes octets =
      (from_held ? Bytes(self.held) : self.input).substr(0, static_cast<std::size_t>(size));
  if (octets.empty()) {
    self.end_was_met = self.input_ended;
    return self.input_ended ? WOLFSSL_CBIO_ERR_CONN_CLOSE : WOLFSSL_CBIO_ERR_WANT_READ;
  }
  std::ranges::copy(octets, buffer);
  const auto count = static_cast<int>(octets.size());  // before they go
  if (!self.done) {
    self.remember(octets);
  }
  if (from_held) {
    self.held.erase(0, octets.size());
    if (self.held.empty()) {
      std::string().swap(self.held);
    }
  } else {
    self.input.remove_prefix(octets.size());
  }
  return count;
}

// For explain(): what a peer that speaks no TLS said first, and which record it was that failed.
void Channel::State::remember(Bytes octets) {
  const Bytes kept = octets.substr(0, first_octets_kept - first_count);
  std::ranges::copy(kept, first.data() + first_count);
  first_count = static_cast<std::uint8_t>(first_count + kept.size());
  const std::size_t count = std::min(octets.size(), last.size());
  std::ranges::copy(last.begin() + static_cast<std::ptrdiff_t>(count), last.end(), last.begin());
  std::ranges::copy(octets.substr(octets.size() - count),
                    last.end() - static_cast<std::ptrdiff_t>(count));
}

int Channel::State::on_send(WOLFSSL*, char* data, int size, void* state) {
  auto& self = *static_cast<State*>(state);
  const Bytes octets(data, static_cast<std::size_t>(size));
  if (!self.hello_sent) {
    self.hello_sent = true;
    if (self.ticket_offered && !self.ticket_is_old) {
      self.drop_offered_ticket();
    }
  }
  if (self.direct != nullptr) {
    self.direct->append(octets);  // asserts that there is room, as seal() demands
  } else {
    self.pending += octets;
  }
  return size;
}

// A record that wolfSSL is about to encrypt or decrypt. It does so itself where the answer is that
// this was not compiled in.
int Channel::State::on_record(WOLFSSL* session, int encrypts, unsigned char* out,
                              const unsigned char* in, word32 size, const unsigned char* iv,
                              word32 iv_size, unsigned char* tag, word32 tag_size,
                              const unsigned char* header, word32 header_size) {
  auto& self = *static_cast<State*>(wolfSSL_GetIOWriteCtx(session));
  if (encrypts == 0 || iv_size != self.last_nonce.size()) {
    return NOT_COMPILED_IN;
  }
  RecordNonce nonce{};
  std::copy_n(iv, nonce.size(), nonce.begin());
  if (!self.sealer) {
    self.last_nonce = nonce;
    return NOT_COMPILED_IN;
  }
  RP_ASSERT(tag == out + size && tag_size == record_tag_bytes);
  self.sealer->seal_own(nonce, {reinterpret_cast<const char*>(header), header_size},
                        {reinterpret_cast<const char*>(in), size}, reinterpret_cast<char*>(out));
  return 0;
}

bool Channel::State::set_up() {
  auto* const native = static_cast<WOLFSSL_CTX*>(context.native());
  ssl = wolfSSL_new(native);
  if (ssl == nullptr || host.size() > limits::domain_bytes_max) {
    return false;
  }
  wolfSSL_SSLSetIORecv(ssl, &State::on_receive);
  wolfSSL_SSLSetIOSend(ssl, &State::on_send);
  wolfSSL_SetIOReadCtx(ssl, this);
  wolfSSL_SetIOWriteCtx(ssl, this);
  wolfSSL_CTX_SetPerformTlsRecordProcessingCb(native, &State::on_record);
  check.session = ssl;
  if (context.role() == Role::server || address_octets(host)) {
    return true;  // RFC 6066: no literal addresses in SNI
  }
  return wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, host.data(),
                        static_cast<unsigned short>(host.size())) == WOLFSSL_SUCCESS;
}

// ---- Tickets ----

std::string Channel::State::ticket_key() const {
  return fmt::format("{}{}", context.trust_key(), host);
}

// 0 where there is none.
std::size_t Channel::State::ticket_hash() const {
  std::array<unsigned char, ticket_bytes_max> ticket;
  auto size = static_cast<word32>(ticket.size());
  if (wolfSSL_get_SessionTicket(ssl, ticket.data(), &size) != WOLFSSL_SUCCESS || size == 0) {
    return 0;
  }
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(ticket.data()), size});
}

void Channel::State::offer_ticket() {
  auto* session = static_cast<WOLFSSL_SESSION*>(tickets->copy(ticket_key()));
  if (session == nullptr) {
    return;
  }
  if (wolfSSL_set_session(ssl, session) == WOLFSSL_SUCCESS) {
    ticket_offered = true;
    ticket_is_old = std::string_view(wolfSSL_get_version(ssl)) == "TLSv1.2";
    ticket_in_doubt = ticket_is_old;
  } else {
    // It is past its lifetime; wolfSSL has taken it over all the same.
    drop_offered_ticket();
    tickets->forget(ticket_key());
  }
  wolfSSL_SESSION_free(session);
}

// As long as wolfSSL has a ticket it takes every ServerHello of TLS 1.2 for consent to resume. With
// TLS 1.3 the ticket has done its duty once the ClientHello is out, and without it a server that
// falls back to TLS 1.2 gets its full handshake; for TLS 1.2 see ticket_answer. And a ticket that
// is there later is a new one: wolfSSL joins the one that was offered to the new connection's
// secret, a pair that no server would know.
void Channel::State::drop_offered_ticket() {
  static_cast<void>(wolfSSL_set_SessionTicket(ssl, nullptr, 0));
}

void Channel::State::look_for_ticket_verdict() {
  held += std::exchange(input, {});
  const TicketVerdict verdict = ticket_verdict(held);
  ticket_in_doubt = verdict == TicketVerdict::unknown && !input_ended;
  if (verdict == TicketVerdict::refused) {
    drop_offered_ticket();
  }
}

// A session of TLS 1.2 makes wolfSSL offer nothing newer. When the server did not want it, none is
// kept from this connection, so that the next one starts with all versions again.
void Channel::State::finish_offer() {
  if (!ticket_offered) {
    return;
  }
  ticket_offered = false;
  if (wolfSSL_session_reused(ssl) == 0) {
    tickets->forget(ticket_key());
    if (ticket_is_old) {
      tickets = nullptr;
    }
  }
}

void Channel::State::keep_ticket() {
  if (tickets == nullptr || !done || dead) {
    return;
  }
  const std::size_t hash = ticket_hash();
  if (hash == 0 || hash == ticket_kept) {
    return;
  }
  ticket_kept = hash;
  WOLFSSL_SESSION* session = wolfSSL_get1_session(ssl);
  tickets->keep(ticket_key(), session);
  wolfSSL_SESSION_free(session);
}

// ---- Failures ----

bool may_be_record(Bytes first_octets) {
  if (first_octets.empty()) {
    return true;
  }
  const auto type = static_cast<std::uint8_t>(first_octets[0]);
  return type >= record_type_first && type <= record_type_last &&
         (first_octets.size() == 1 || first_octets[1] == record_version_major);
}

TlsError Channel::State::explain(int code) const {
  WOLFSSL_ALERT_HISTORY alerts{};
  static_cast<void>(wolfSSL_get_alert_history(ssl, &alerts));
  const TlsErrorKind kind = kind_of_wolfssl(code);
  if (!done && !may_be_record({first.data(), first_count})) {
    return {TlsErrorKind::not_tls, code,
            fmt::format("\"{}\"", printable({first.data(), first_count}, first_count)), host};
  }
  if (done && kind == TlsErrorKind::no_common_version) {
    // The version was agreed upon long ago: what came is no record.
    return {TlsErrorKind::truncated, code, "octets came that are no TLS record", host};
  }
  if (check.error) {
    return *check.error;
  }
  if (code == FATAL_ERROR && alerts.last_rx.level == alert_fatal) {
    return {kind_of_alert(alerts.last_rx.code), code, describe_alert(alerts.last_rx.code), host};
  }
  // With TLS 1.3, OpenSSL says in clear what it has against a certificate; wolfSSL reads the
  // header.
  if (!done && code == PARSE_ERROR && last[0] == record_type_alert && input.size() >= 2) {
    return {TlsErrorKind::peer_alert, code, describe_alert(static_cast<std::uint8_t>(input[1])),
            host};
  }
  if (code == MAX_CHAIN_ERROR) {  // as MAX_CHAIN_DEPTH of dependencies.sh has it
    return {kind, code,
            fmt::format("the server sent more than the {} certificates that are looked at",
                        sent_certificates_max),
            host, std::string(send_fewer)};
  }
  if (!done && kind == TlsErrorKind::bad_certificate) {
    return {
        kind, code,
        fmt::format("it, or one that was sent beside it, has a form that cannot be read here ({})",
                    reason_of_wolfssl(code)),
        host, "the server's owner must replace it"};
  }
  if (end_was_met) {
    return {done ? TlsErrorKind::truncated : TlsErrorKind::closed, code, {}, host};
  }
  return {kind, code, reason_of_wolfssl(code), host};
}

Failure<TlsError> Channel::State::fail(TlsError error) {
  if (ticket_offered) {
    tickets->forget(ticket_key());  // in case the ticket was at fault: the next try goes without
  }
  dead = std::make_unique<TlsError>(std::move(error));
  return Failure(*dead);
}

// ---- The channel ----

Result<std::unique_ptr<Channel>, TlsError> Channel::create(Context& context, std::string_view host,
                                                           TicketCache* tickets) {
  const bool client = context.role() == Role::client;
  auto state =
      std::make_unique<State>(context, client ? without_trailing_dot(host) : std::string_view(),
                              client ? tickets : nullptr);
  RP_ASSERT(!client || !state->host.empty());
  if (!state->set_up()) {
    return Failure(internal_error_of("a new session", MEMORY_E));
  }
  if (state->tickets != nullptr) {
    state->offer_ticket();
  }
  return std::unique_ptr<Channel>(new Channel(std::move(state)));
}

Channel::Channel(std::unique_ptr<State> state) : state_(std::move(state)) {}
Channel::~Channel() = default;

void Channel::feed(Bytes ciphertext) {
  RP_ASSERT(state_->input.empty() || state_->dead || state_->closed);
  RP_ASSERT(!state_->input_ended);
  state_->input = ciphertext;
}

void Channel::feed_end() { state_->input_ended = true; }

Result<bool, TlsError> Channel::handshake() {
  State& state = *state_;
  if (state.dead) {
    return Failure(*state.dead);
  }
  if (state.done) {
    return true;
  }
  const bool client = state.context.role() == Role::client;
  int result = 0;
  {
    const PeerCheckScope scope(state.check);
    result = client ? wolfSSL_connect(state.ssl) : wolfSSL_accept(state.ssl);
  }
  if (result != WOLFSSL_SUCCESS) {
    const int code = wolfSSL_get_error(state.ssl, result);
    if (code == WOLFSSL_ERROR_WANT_READ) {
      return false;
    }
    return state.fail(state.explain(code));
  }
  if (client && state.context.verifies_peer() && !state.check.accepted && !resumed()) {
    return state.fail(internal_error_of("a handshake without a certificate", NO_PEER_CERT));
  }
  state.done = true;
  state.tls_1_3 = version() == "TLSv1.3";
  if (client) {
    state.sealer = RecordSealer::create(state.ssl, state.last_nonce);
  }
  state.finish_offer();
  state.keep_ticket();  // TLS 1.2: it came before the server's Finished
  return true;
}

bool Channel::handshake_done() const { return state_->done; }

Result<ReadResult, TlsError> Channel::read() {
  State& state = *state_;
  if (state.dead) {
    return Failure(*state.dead);
  }
  if (state.closed) {
    return ReadResult{ReadState::closed, {}};
  }
  RP_ASSERT(state.done);
  const std::span<char> scratch = state.context.scratch();
  const int count = wolfSSL_read(state.ssl, scratch.data(), static_cast<int>(scratch.size()));
  if (count > 0) {
    return ReadResult{ReadState::plaintext, {scratch.data(), static_cast<std::size_t>(count)}};
  }
  const int code = wolfSSL_get_error(state.ssl, count);
  if (code == WOLFSSL_ERROR_WANT_READ) {
    if (state.ticket_looks_left > 0) {
      --state.ticket_looks_left;
      state.keep_ticket();
    }
    return ReadResult{ReadState::need_more, {}};
  }
  if (code == WOLFSSL_ERROR_ZERO_RETURN) {
    state.closed = true;
    return ReadResult{ReadState::closed, {}};
  }
  return state.fail(state.explain(code));
}

std::size_t Channel::sealed_bytes_max(std::size_t plaintext_bytes) const {
  const std::size_t records = records_for(plaintext_bytes);
  return state_->pending.size() - state_->pending_taken + plaintext_bytes +
         records * record_overhead_max + (records > 0 ? key_update_bytes_max : 0);
}

bool Channel::seals_in_place() const { return state_->sealer != nullptr; }

std::span<char> Channel::plaintext_room(ByteBuffer& output, std::size_t bytes) {
  State& state = *state_;
  RP_ASSERT(state.sealer && !state.close_sent && bytes <= limits::tls_record_bytes_max);
  if (state.records_left == 0) {
    update_keys();
  }
  take_output(output);
  RP_ASSERT(output.room() >= bytes + sealed_record_overhead);
  return {RecordSealer::place(output), bytes};
}

Result<void, TlsError> Channel::seal(Bytes plaintext, ByteBuffer& output) {
  State& state = *state_;
  if (state.dead) {
    return Failure(*state.dead);
  }
  RP_ASSERT(state.done && !state.close_sent);
  RP_ASSERT(plaintext.size() <= INT_MAX && output.room() >= sealed_bytes_max(plaintext.size()));
  const auto records = static_cast<std::uint32_t>(records_for(plaintext.size()));
  const bool in_place = state.sealer && plaintext.data() == RecordSealer::place(output);
  if (!in_place) {  // else plaintext_room() saw to it
    if (records > state.records_left) {
      update_keys();
    }
    take_output(output);
  }
  if (plaintext.empty()) {
    return {};
  }
  state.records_left -= std::min(records, state.records_left);
  if (state.sealer) {
    state.sealer->seal(plaintext, output);
    return {};
  }
  state.direct = &output;
  const int count = wolfSSL_write(state.ssl, plaintext.data(), static_cast<int>(plaintext.size()));
  state.direct = nullptr;
  if (count != static_cast<int>(plaintext.size())) {
    return state.fail(state.explain(wolfSSL_get_error(state.ssl, count)));
  }
  return {};
}

void Channel::update_keys() {
  State& state = *state_;
  state.records_left = records_per_key_max;
  if (state.tls_1_3 && !state.dead && !state.close_sent) {
    static_cast<void>(wolfSSL_update_keys(state.ssl));  // writing to memory, it cannot be blocked
  }
}

bool Channel::take_output(ByteBuffer& output) {
  State& state = *state_;
  const Bytes left = Bytes(state.pending).substr(state.pending_taken);
  const Bytes taken = left.substr(0, output.room());
  output.append(taken);
  state.pending_taken += taken.size();
  if (taken.size() < left.size()) {
    return true;
  }
  if (!state.pending.empty()) {
    std::string().swap(state.pending);  // a handshake's flight, not needed while the session idles
    state.pending_taken = 0;
  }
  return false;
}

bool Channel::has_output() const { return state_->pending_taken < state_->pending.size(); }

void Channel::close_notify() {
  State& state = *state_;
  if (!state.done || state.dead || state.close_sent) {
    return;
  }
  state.close_sent = true;
  state.keep_ticket();
  static_cast<void>(wolfSSL_shutdown(state.ssl));  // it asks for a second call; there is none
}

std::string Channel::version() const {
  return state_->done ? wolfSSL_get_version(state_->ssl) : std::string();
}

std::string Channel::cipher() const {
  return state_->done ? wolfSSL_get_cipher_name(state_->ssl) : std::string();
}

bool Channel::resumed() const { return wolfSSL_session_reused(state_->ssl) != 0; }

void Channel::keep_certificates() {
  State& state = *state_;
  RP_ASSERT(state.context.role() == Role::client && !state.hello_sent);
  state.check.kept = &state.certificates;
}

const std::vector<std::string>& Channel::peer_certificates() const { return state_->certificates; }

}  // namespace ringpost::tls
