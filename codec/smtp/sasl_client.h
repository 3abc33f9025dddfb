// The part of a SASL exchange that each mechanism has its own of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/smtp/sasl_crypto.h"
#include "codec/smtp/scram.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Who logs in: with a password, or with an OAuth access token in its place. None of them may hold
// CR, LF or NUL: whoever reads the configuration checks it (valid_credentials).
struct Credentials {
  std::string username;
  std::string password;
  std::string token = {};  // not empty: the password is not used
  // The server as it was configured; OAUTHBEARER says it (RFC 7628 3.1).
  std::string host = {};
  std::uint16_t port = 0;
};

enum class SaslError : std::uint8_t {
  bad_challenge,         // not base64 where the mechanism reads it, or too long
  unexpected_challenge,  // the mechanism is over and the server asks on
  malformed_scram,       // not the message that this step of SCRAM has
  foreign_nonce,         // SCRAM: the server's nonce does not begin with ours
  scram_iterations,      // SCRAM: out of the bounds in limits.h
  server_unproven,       // SCRAM: let in by a server that did not show that it knows the password
};
inline constexpr std::size_t sasl_error_count = 6;
[[nodiscard]] std::string_view text_of(SaslError error);

// What an exchange needs beside credentials. Null where no mechanism is used that hashes.
struct SaslTools {
  const SaslCrypto* crypto = nullptr;
  ScramCache* scram_cache = nullptr;
};

// One authentication, in octets: their base64 is the matter of SaslExchange.
class SaslClient {
 public:
  SaslClient() = default;
  virtual ~SaslClient() = default;
  SaslClient(const SaslClient&) = delete;
  SaslClient& operator=(const SaslClient&) = delete;

  // The initial response; empty: the server speaks first.
  [[nodiscard]] virtual std::string initial() const { return {}; }
  // The answer to the challenge with that number, the first of which is 0.
  [[nodiscard]] virtual Result<std::string, SaslError> answer(int number, Bytes challenge);
  // The server let us in: whether it may.
  [[nodiscard]] virtual Result<void, SaslError> succeed() const { return {}; }
};

}  // namespace ringpost::codec
