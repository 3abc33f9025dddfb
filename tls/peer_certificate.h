// What a certificate says about itself, for people who have to find out why it was refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tls/host_name.h"
#include <ringpost/base.h>

namespace ringpost::tls {

// One X.509 certificate (RFC 5280 4.1). Nothing here has been verified. Names are the octets of the
// certificate as they stand, cut to a sane length: whoever prints them escapes them.
struct PeerCertificate {
  std::string subject;              // "CN=mail.example.com, O=Example"
  std::string subject_common_name;  // empty: it has none
  std::string issuer;
  std::string issuer_common_name;
  bool self_issued = false;     // subject and issuer are the same
  CertificateNames names;       // whom it is for
  std::int64_t not_before = 0;  // Unix time in seconds
  std::int64_t not_after = 0;
  std::string serial;  // in hexadecimal, lower case
  std::string sha256;  // of the whole certificate, likewise: its fingerprint
  std::string key;     // "ECDSA P-256", "RSA 2048", "Ed25519"; "unknown" and its id for others
};

// Reads a certificate in DER. Nothing when it is malformed.
[[nodiscard]] std::optional<PeerCertificate> read_certificate(Bytes der);

}  // namespace ringpost::tls
