// What can go wrong in TLS, in words a person can act on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <ringpost/base.h>

namespace ringpost::tls {

enum class TlsErrorKind : std::uint8_t {
  unknown_authority,  // the chain ends at no CA that is trusted here
  wrong_host,         // the certificate is for another name
  expired,            // the certificate's time is over
  not_yet_valid,      // the certificate's time has not begun
  bad_certificate,    // any other fault of the certificate
  no_common_version,  // the peer speaks nothing from TLS 1.2 up, or no cipher in common
  not_tls,            // what came is no TLS record: wrong port, or plaintext
  peer_alert,         // the peer refused with an alert
  closed,             // the peer closed the connection during the handshake
  truncated,          // the connection ended without close_notify
  local_file,         // a CA, certificate or key file could not be used
  internal,           // wolfSSL failed in another way
};
inline constexpr std::size_t tls_error_kind_count = 12;

// A value; may be copied and kept. Whatever a peer said in it has been made printable ASCII.
struct TlsError {
  TlsErrorKind kind = TlsErrorKind::internal;
  int code = 0;  // wolfSSL's own number, 0 when it was not wolfSSL
  // What it was about: a file, the names in a certificate, the library's words.
  std::string detail = {};
  // The host that was asked for; empty on a server and for local files.
  std::string peer = {};
  // The step that mends just this; empty: the usual one of its kind.
  std::string advice = {};

  // One sentence: what was wrong and, where there is one, the way out.
  [[nodiscard]] std::string message() const;
};

// Whether the peer speaks TLS, and whom to trust is the question: a certificate that does not do,
// or a file of ours that says which ones do.
[[nodiscard]] bool is_about_certificate(TlsErrorKind kind);

// The enumerator's own name, for logs and statistics.
[[nodiscard]] std::string_view name_of(TlsErrorKind kind);

}  // namespace ringpost::tls
