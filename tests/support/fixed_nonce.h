// SASL's cryptography with a nonce that is known beforehand.
#pragma once

#include <string>
#include <utility>

#include "codec/smtp/sasl_crypto.h"
#include "tls/sasl_crypto.h"

namespace ringpost::test {

class FixedNonce final : public codec::SaslCrypto {
 public:
  // The client's of RFC 7677 section 3 unless told otherwise.
  explicit FixedNonce(std::string nonce = "rOprNGfwEbeRWgbNEkqO") : nonce_(std::move(nonce)) {}

  [[nodiscard]] codec::Md5Digest hmac_md5(Bytes key, Bytes text) const override {
    return tls::sasl_crypto().hmac_md5(key, text);
  }
  [[nodiscard]] codec::Sha256Digest hmac_sha256(Bytes key, Bytes text) const override {
    return tls::sasl_crypto().hmac_sha256(key, text);
  }
  [[nodiscard]] codec::Sha256Digest sha256(Bytes text) const override {
    return tls::sasl_crypto().sha256(text);
  }
  [[nodiscard]] codec::Sha256Digest pbkdf2_sha256(Bytes password, Bytes salt,
                                                  std::uint32_t iterations) const override {
    ++derivations;
    return tls::sasl_crypto().pbkdf2_sha256(password, salt, iterations);
  }
  [[nodiscard]] std::string nonce() const override { return nonce_; }

  mutable int derivations = 0;  // how often PBKDF2 was asked for

 private:
  std::string nonce_;
};

}  // namespace ringpost::test
