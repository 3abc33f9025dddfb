// What is wrong with a server's certificates, and whose turn it is. Internal to tls/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tls/tls_error.h"

namespace ringpost::tls {

enum class PathFaultKind : std::uint8_t {
  malformed,
  unknown_issuer,  // neither sent nor trusted
  self_signed,     // the server's own, and not trusted
  unknown_root,    // the path ends at a root that was sent and is not trusted
  bad_signature,   // the only issuers of this name have not signed it
  weak_signature,
  unsupported_signature,
  weak_key,
  unsupported_key,
  expired,
  not_yet_valid,
  unknown_extension,  // a critical one
  not_an_authority,
  no_signing_authority,  // a CA whose key is not for certificates
  wrong_purpose,         // the extended key usage leaves TLS servers out
  wrong_key_usage,       // of the server's own
  path_too_long,         // more CAs below one than it allows
  name_not_allowed,      // by the name constraints of a CA
  // The bounds of certificate_path.h: of what was sent, of one way up, and of all ways together.
  too_many_sent,
  too_many_on_the_way,
  too_much_work,
};
inline constexpr std::size_t path_fault_kind_count = 21;

struct PathFault {
  PathFaultKind kind = PathFaultKind::malformed;
  enum class Where : std::uint8_t { leaf, sent_authority, trusted_authority };
  Where where = Where::leaf;
  std::string name;       // of the certificate that has the fault; printable
  std::string other;      // its issuer, algorithm or key, the name that is not allowed; printable
  std::int64_t when = 0;  // when its time ended or will begin
};

// The fault as an error of the peer `host`, with what to do about it.
[[nodiscard]] TlsError error_of(const PathFault& fault, std::string_view host);

// "2020-02-01".
[[nodiscard]] std::string date_of(std::int64_t unix_seconds);

}  // namespace ringpost::tls
