// Makes a certificate for the embedded ESP when nobody gave it one.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tls/tls_error.h"
#include <ringpost/base.h>

namespace ringpost::sink {

struct SelfSigned {
  std::string certificate_pem;
  std::string key_pem;  // PKCS #8; whoever writes it to a file keeps others from reading it
};

// A self-signed ECDSA P-256 certificate, its own CA, valid for `days` from now and from a day ago
// (clocks differ), whose subject alternative names are `names` (DNS names or IP literals; at least
// one). Errors: bad_certificate for a name that cannot be one; internal. Blocks for about 1 ms.
[[nodiscard]] Result<SelfSigned, tls::TlsError> make_self_signed(
    const std::vector<std::string>& names, int days);

// The same with its validity given, for tests of what happens outside it.
[[nodiscard]] Result<SelfSigned, tls::TlsError> make_self_signed(
    const std::vector<std::string>& names, std::chrono::sys_seconds not_before,
    std::chrono::sys_seconds not_after);

}  // namespace ringpost::sink
