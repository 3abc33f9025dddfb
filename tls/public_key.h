// The public key of a certificate: of which kind it is, and its name for people. Internal to tls/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <ringpost/base.h>

namespace ringpost::tls {

enum class KeyKind : std::uint8_t { rsa, rsa_pss, ecdsa, ed25519, unknown };

// Views stand in the DER that it was read from, which must outlive it.
struct PublicKey {
  KeyKind kind = KeyKind::unknown;
  Bytes bits;       // RSAPublicKey, a point, or an Ed25519 key
  Bytes algorithm;  // object ids; empty: it could not be read
  Bytes curve;
  bool is_known_curve = false;  // P-256, P-384 or P-521
};

// `information` is the content of a SubjectPublicKeyInfo (RFC 5280 4.1).
[[nodiscard]] PublicKey read_public_key(Bytes information);

// "RSA 2048", "ECDSA P-256", "ECDSA secp256k1", "Ed25519", "Ed448"; "unknown" with its object id
// for others.
[[nodiscard]] std::string describe(const PublicKey& key);

struct RsaNumbers {
  Bytes modulus;
  Bytes exponent;
  std::size_t bits = 0;  // of the modulus
};
[[nodiscard]] std::optional<RsaNumbers> read_rsa_numbers(Bytes key);

// "1.3.132.0.10", from the content of an OBJECT IDENTIFIER; bounded.
[[nodiscard]] std::string object_id_text(Bytes id);

}  // namespace ringpost::tls
