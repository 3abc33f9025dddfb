// The CAs that the machine trusts. Internal to tls/.
#pragma once

#include <optional>
#include <string>

#include "tls/tls_error.h"
#include "tls/trust_store.h"
#include <ringpost/base.h>

namespace ringpost::tls {

// The file that SSL_CERT_FILE names, where it does: it is instead of the distribution's.
[[nodiscard]] std::optional<std::string> named_ca_file();

// Those of the distribution: read by the first caller, in milliseconds, and the same for all. Any
// thread. Empty where there are none: verification then says so, naming the host.
[[nodiscard]] const TrustStore& system_authorities();

}  // namespace ringpost::tls
