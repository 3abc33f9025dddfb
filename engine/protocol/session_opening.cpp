// How a session comes to be ready: greeting, EHLO, STARTTLS, EHLO again, AUTH. Nothing here runs
// ahead of replies. See session.cpp.
#include "codec/smtp_command.h"
#include "engine/protocol/session.h"

namespace ringpost::protocol {

namespace {

CloseReason permanent_reason(CloseKind kind, Stage stage, std::string_view detail = {}) {
  CloseReason reason = reason_of(kind, stage, detail);
  reason.permanent = true;
  return reason;
}

// What the server offers, and what was asked for, where that was one mechanism.
std::string missing_mechanism(const codec::Capabilities& capabilities,
                              std::optional<codec::AuthMechanism> named) {
  std::string offered;
  for (std::size_t i = 0; i < codec::auth_mechanism_count; ++i) {
    const auto mechanism = static_cast<codec::AuthMechanism>(i);
    if (capabilities.offers(mechanism)) {
      offered.append(offered.empty() ? "" : " ").append(codec::name_of(mechanism));
    }
  }
  std::string text = named ? std::string(codec::name_of(*named)) + " was asked for" : "";
  if (!offered.empty()) {
    text.append(text.empty() ? "" : ", and ").append("it offers ").append(offered);
  }
  return text;
}

}  // namespace

void Session::on_greeting_reply(const codec::Reply& reply) {
  if (reply.positive()) {
    send_hello(SessionState::hello);
    return;
  }
  close_with_reply(CloseKind::greeting_refused, Stage::greeting, reply, reply.permanent());
}

void Session::send_hello(SessionState state) {
  state_ = state;
  codec::append_ehlo(pending_, options_.client_name);
  expect(Expected::ehlo);
}

void Session::on_hello_reply(Expected kind, const codec::Reply& reply) {
  const bool in_clear = options_.tls_mode == TlsMode::none && !options_.authenticate;
  if (kind == Expected::ehlo && reply.permanent() && in_clear) {
    // RFC 5321 4.1.1.1. Not where TLS or AUTH is needed: HELO has neither.
    codec::append_helo(pending_, options_.client_name);
    expect(Expected::helo);
    return;
  }
  if (!reply.positive()) {
    close_with_reply(CloseKind::ehlo_refused, Stage::ehlo, reply, reply.permanent());
    return;
  }
  capabilities_ =
      kind == Expected::ehlo ? codec::parse_capabilities(reply.text) : codec::Capabilities{};
  if (options_.tls_mode == TlsMode::starttls && state_ == SessionState::hello) {
    if (!capabilities_.starttls) {
      close(permanent_reason(CloseKind::starttls_missing, Stage::starttls));
      return;
    }
    state_ = SessionState::starttls;
    codec::append_starttls(pending_);
    expect(Expected::starttls);
    return;
  }
  if (options_.authenticate) {
    send_auth();
  } else {
    become_ready();
  }
}

void Session::on_starttls_reply(const codec::Reply& reply) {
  // Only 220 will do: a 250 or 354 here is a trap or a muddle, and both end before any secret is
  // sent.
  if (reply.code != 220) {
    close_with_reply(CloseKind::starttls_refused, Stage::starttls, reply, reply.permanent());
    return;
  }
  state_ = SessionState::handshake;  // receive() says so to the listener
  capabilities_ = {};
}

void Session::tls_established(Instant now) {
  RP_ASSERT(state_ == SessionState::handshake && awaited_.empty());
  send_hello(SessionState::hello_tls);
  set_deadline(now);
}

void Session::send_auth() {
  if (!secure() && !options_.allow_plaintext_auth) {
    close(permanent_reason(CloseKind::auth_in_clear, Stage::auth));
    return;
  }
  if (!login_) {
    login_ = std::make_shared<const Login>(options_.credentials);
  }
  const codec::Credentials& credentials = login_->credentials;
  const auto mechanism =
      codec::choose_mechanism(capabilities_, {.named = options_.mechanism,
                                              .has_token = !credentials.token.empty(),
                                              .has_crypto = options_.sasl.crypto != nullptr,
                                              .in_clear = !secure()});
  if (!mechanism) {
    close(permanent_reason(CloseKind::auth_missing, Stage::auth,
                           missing_mechanism(capabilities_, options_.mechanism)));
    return;
  }
  state_ = SessionState::auth;
  sasl_ = std::make_unique<codec::SaslExchange>(*mechanism, credentials, options_.sasl);
  const std::size_t begin = pending_.size();
  codec::append_auth(pending_, codec::name_of(*mechanism), sasl_->initial_response());
  if (pending_.size() - begin > limits::command_line_bytes_max) {
    pending_.resize(begin);
    codec::append_auth(pending_, codec::name_of(*mechanism), {});
    sasl_->withhold_initial_response();
  }
  expect(Expected::auth);
}

void Session::on_auth_reply(const codec::Reply& reply) {
  if (reply.positive()) {
    if (const auto allowed = sasl_->succeed(); !allowed) {
      close(permanent_reason(CloseKind::protocol_error, Stage::auth,
                             codec::text_of(allowed.error())));
      return;
    }
    sasl_.reset();
    become_ready();
    return;
  }
  if (!reply.intermediate()) {
    close_with_reply(CloseKind::auth_refused, Stage::auth, reply, reply.permanent());
    return;
  }
  auto response = sasl_->respond(reply.text);
  if (!response) {
    close(
        permanent_reason(CloseKind::protocol_error, Stage::auth, codec::text_of(response.error())));
    return;
  }
  codec::append_auth_response(pending_, *response);
  expect(Expected::auth);
}

void Session::become_ready() {
  state_ = SessionState::ready;
  listener_.on_ready();
}

}  // namespace ringpost::protocol
