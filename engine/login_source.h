// Whom the sessions of an endpoint log in as, now.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/protocol/login.h"
#include <ringpost/base.h>
#include <ringpost/config.h>

namespace ringpost::engine {

// What an endpoint logs in with on that port before any token was read. With a mechanism that takes
// a token, the password is one.
[[nodiscard]] codec::Credentials credentials_of(const EndpointOptions& options, std::uint16_t port);

// A password stays as it is. A token is read before the first session, again when it is about to
// expire, and again when the server refuses it, once: the one that was refused is not offered
// again, and when the next one is refused, too, that is final. Sessions that are logged in already
// notice nothing. Thread: guarded by whoever owns it.
class LoginSource {
 public:
  // `options` outlive it.
  explicit LoginSource(const EndpointOptions& options);

  // Sessions are opened to that port from now on, which OAUTHBEARER says; the first of the list
  // before. Those that were opened keep what they have.
  void use_port(std::uint16_t port);
  // For a session that is opened now. Null: a token has to be read first; see ready().
  [[nodiscard]] std::shared_ptr<const protocol::Login> login() const { return login_; }
  [[nodiscard]] bool ready(Instant now) const;
  // Whether a token is to be read now. True is a promise of the caller's that take() follows.
  [[nodiscard]] bool start_reading(Instant now);

  enum class Taken : std::uint8_t {
    good,
    failed,   // there is none that could be used
    refused,  // it is the one that the server has refused
  };
  // A token was read, or not: then `error` says why, when the result is `failed`.
  [[nodiscard]] Taken take(TokenResult token, Instant now, std::string& error);

  // The server took that token.
  void accepted(std::uint64_t token_number);
  // A recipient had an answer: nothing is wrong with the token behind its login, either.
  void worked();
  // Where the server has refused a token.
  enum class At : std::uint8_t { login, message };
  // The server refused it for good. Whether another one will be read and tried.
  [[nodiscard]] bool refused(std::uint64_t token_number, At at = At::login);

 private:
  const EndpointOptions& options_;
  std::uint16_t port_;
  std::shared_ptr<const protocol::Login> login_;
  std::uint64_t tokens_read_ = 0;
  Instant refresh_at_ = never;
  Instant expires_at_ = never;
  bool reading_ = false;
  bool was_refused_ = false;  // the token before this one was, and this one was not accepted yet
  At refused_at_ = At::login;
  std::string refused_token_;
};

}  // namespace ringpost::engine
