// SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677): both sides show that they know the
// password, and neither says it.
//
// The client's half is ScramClient. What both halves compute stands here too, because the embedded
// ESP is the other half.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/smtp/sasl_crypto.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Remembers the last salted password, so that a pool of sessions pays for its iterations once. A
// server gives an account the same salt each time. Thread: one at a time.
class ScramCache {
 public:
  [[nodiscard]] Sha256Digest salted_password(const SaslCrypto& crypto, Bytes password, Bytes salt,
                                             std::uint32_t iterations);

 private:
  std::string password_;
  std::string salt_;
  std::uint32_t iterations_ = 0;
  Sha256Digest salted_{};
};

struct ScramKeys {
  Sha256Digest client{};  // ClientKey
  Sha256Digest stored{};  // StoredKey: all that a server needs to check a client
  Sha256Digest server{};  // ServerKey
};
[[nodiscard]] ScramKeys scram_keys(const SaslCrypto& crypto, const Sha256Digest& salted_password);

// A user name as it stands in a message: `=` and `,` mean something there (RFC 5802 5.1).
[[nodiscard]] std::string escaped_scram_name(Bytes name);

// The value of `NAME=` at the front of a message, which is taken off it with the comma behind.
[[nodiscard]] std::optional<Bytes> take_scram_attribute(Bytes& message, char name);

// Octet by octet, in a time that does not tell how many are the same.
[[nodiscard]] bool same_octets(Bytes one, Bytes other);

// One authentication. User name and password are taken as they are: ASCII and UTF-8 in composed
// form are what SASLprep (RFC 4013) would make of them; it is not applied to anything else.
class ScramClient {
 public:
  enum class Error : std::uint8_t {
    malformed,        // not the message that this step has
    foreign_nonce,    // the server's nonce does not begin with ours, or adds nothing to it
    iterations,       // out of the bounds in limits.h
    wrong_signature,  // the server does not know the password
  };

  // All outlive it.
  ScramClient(Bytes username, Bytes password, const SaslCrypto& crypto, ScramCache& cache);

  // client-first-message.
  [[nodiscard]] std::string first() const;
  // client-final-message, for the server-first-message.
  [[nodiscard]] Result<std::string, Error> prove(Bytes server_first);
  // Looks at the server-final-message. False: the server says `e=`, and will say no for good.
  [[nodiscard]] Result<bool, Error> check(Bytes server_final);

 private:
  Bytes password_;
  const SaslCrypto& crypto_;
  ScramCache& cache_;
  std::string nonce_;
  std::string first_bare_;  // client-first-message-bare
  Sha256Digest server_signature_{};
};

}  // namespace ringpost::codec
