// One X.509 certificate as the verification of a path needs it. Internal to tls/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tls/name_constraints.h"
#include <ringpost/base.h>

namespace ringpost::tls {

// RFC 5280 4.2.1.3: the first octet of the bits.
namespace key_usage {
inline constexpr std::uint8_t digital_signature = 0x80;
inline constexpr std::uint8_t key_encipherment = 0x20;
inline constexpr std::uint8_t key_agreement = 0x08;
inline constexpr std::uint8_t certificate_signing = 0x04;
}  // namespace key_usage

// Netscape's certificate type, which old CAs still write: the bit of TLS servers.
inline constexpr std::uint8_t netscape_server = 0x40;

// RFC 5280 4.2.1.1: which certificate of its issuer was meant. What is not there is nothing.
struct AuthorityKey {
  std::optional<Bytes> key_id;
  std::optional<Bytes> serial;
  std::optional<std::string> issuer;  // comparable
};

// Views stand in the DER that it was read from, which must outlive it. Nothing here has been
// verified.
struct Certificate {
  Bytes der;
  Bytes signed_part;          // TBSCertificate, a whole element
  Bytes signature_algorithm;  // content of the AlgorithmIdentifier
  Bytes signature;
  int version = 1;
  Bytes serial;
  Bytes issuer;  // contents of the names, as they stand
  Bytes subject;
  std::string comparable_issuer;
  std::string comparable_subject;
  std::int64_t not_before = 0;  // Unix time in seconds
  std::int64_t not_after = 0;
  Bytes public_key;  // SubjectPublicKeyInfo, a whole element

  std::optional<bool> is_authority;          // basic constraints; nothing: it has none
  std::optional<std::uint32_t> path_length;  // how many CAs may stand below it
  std::optional<std::uint8_t> key_usage;
  std::optional<bool> for_servers;  // extended key usage: whether TLS servers are among it
  std::optional<std::uint8_t> netscape_type;
  std::optional<NameConstraints> name_constraints;
  Bytes alternative_names;  // content of GeneralNames; empty: none
  std::optional<Bytes> key_id;
  AuthorityKey authority_key;
  Bytes unknown_critical;  // the id of a critical extension that is not known here

  [[nodiscard]] bool self_issued() const { return comparable_issuer == comparable_subject; }
};

// Nothing when it is malformed, when it has an extension that counts twice, when something stands
// behind it, or when the algorithm that is signed is not the one that it is signed with.
[[nodiscard]] std::optional<Certificate> parse_certificate(Bytes der);

}  // namespace ringpost::tls
