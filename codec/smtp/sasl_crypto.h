// What the SASL mechanisms need of cryptography and of chance, handed in from outside: codec links
// no library for it (tls/sasl_crypto.h has the real one), and a simulation or a transcript wants to
// know the nonce beforehand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

using Md5Digest = std::array<char, 16>;
using Sha256Digest = std::array<char, 32>;

[[nodiscard]] inline Bytes bytes_of(const Md5Digest& digest) {
  return {digest.data(), digest.size()};
}
[[nodiscard]] inline Bytes bytes_of(const Sha256Digest& digest) {
  return {digest.data(), digest.size()};
}

// Thread-safe: one object may serve every session of a process.
class SaslCrypto {
 public:
  SaslCrypto() = default;
  virtual ~SaslCrypto() = default;
  SaslCrypto(const SaslCrypto&) = delete;
  SaslCrypto& operator=(const SaslCrypto&) = delete;

  [[nodiscard]] virtual Md5Digest hmac_md5(Bytes key, Bytes text) const = 0;
  [[nodiscard]] virtual Sha256Digest hmac_sha256(Bytes key, Bytes text) const = 0;
  [[nodiscard]] virtual Sha256Digest sha256(Bytes text) const = 0;
  // PBKDF2 (RFC 8018 5.2) with HMAC-SHA-256, which RFC 5802 calls Hi(). Takes time in proportion to
  // `iterations`, which is at least 1.
  [[nodiscard]] virtual Sha256Digest pbkdf2_sha256(Bytes password, Bytes salt,
                                                   std::uint32_t iterations) const = 0;
  // At least 128 bits of chance in printable ASCII without commas (RFC 5802 5.1).
  [[nodiscard]] virtual std::string nonce() const = 0;
};

}  // namespace ringpost::codec
