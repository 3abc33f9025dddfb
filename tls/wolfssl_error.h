// What wolfSSL's and TLS's numbers mean, as kinds and words of ours. Internal to tls/.
#pragma once

#include <string>
#include <string_view>

#include "tls/tls_error.h"

namespace ringpost::tls {

// What sort of failure one of wolfSSL's (negative) error numbers is, seen from a handshake.
[[nodiscard]] TlsErrorKind kind_of_wolfssl(int code);

// wolfSSL's own words for it.
[[nodiscard]] std::string reason_of_wolfssl(int code);

// An error of kind internal: what was being done, and wolfSSL's words.
[[nodiscard]] TlsError internal_error_of(std::string_view what, int code);

// RFC 8446 section 6: the name of an alert and, where it helps, what it usually means.
[[nodiscard]] std::string describe_alert(int alert);

// A peer that says "not this version" says what kind_of_wolfssl would have said.
[[nodiscard]] TlsErrorKind kind_of_alert(int alert);

}  // namespace ringpost::tls
