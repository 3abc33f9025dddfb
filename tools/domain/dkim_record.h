// A DKIM key in DNS (RFC 6376 3.6.1, RFC 8301, RFC 8463).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::cli {

// RFC 8301 3.2: what receivers take, and what signers should use.
inline constexpr std::size_t rsa_bits_min = 1024;
inline constexpr std::size_t rsa_bits_wanted = 2048;

enum class DkimKey : std::uint8_t { rsa, ed25519, unknown };

struct DkimRecord {
  DkimKey key = DkimKey::rsa;
  std::size_t bits = 0;     // of an RSA key; 256 of Ed25519
  bool is_revoked = false;  // p= is empty
  bool is_testing = false;  // t=y
  bool sha256 = true;       // h= allows it
  bool serves_mail = true;  // s= allows it
  bool is_strict = false;   // t=s: not for subdomains of the domain that signs
};

// An error says in words why no receiver can use the record.
[[nodiscard]] Result<DkimRecord, std::string> parse_dkim(Bytes text);

// The bits of the modulus of an RSA key, as DER of SubjectPublicKeyInfo or RSAPublicKey; 0: it is
// neither.
[[nodiscard]] std::size_t rsa_bits(Bytes der);

}  // namespace ringpost::cli
