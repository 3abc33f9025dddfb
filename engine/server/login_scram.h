// The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/smtp/sasl_crypto.h"
#include <ringpost/base.h>

namespace ringpost::server {

// One authentication, with 4,096 iterations and a salt that an account always gets.
class ScramServer {
 public:
  // It outlives it.
  explicit ScramServer(const codec::SaslCrypto& crypto) : crypto_(crypto) {}

  // The server-first-message, for the client's. Nothing: that is none, or wants channel binding.
  [[nodiscard]] std::optional<std::string> first(Bytes client_first);
  // Whom the client claims to be. Valid after first().
  [[nodiscard]] const std::string& user() const { return user_; }
  // The server-final-message, for the client-final-message of whoever knows the password. Empty:
  // it is wrong. Nothing: that is no such message.
  [[nodiscard]] std::optional<std::string> finish(Bytes client_final, Bytes password);

 private:
  const codec::SaslCrypto& crypto_;
  std::string header_;  // of GS2
  std::string client_first_bare_;
  std::string server_first_;
  std::string user_;
  std::string nonce_;
  std::string salt_;
};

}  // namespace ringpost::server
