// The hashes that SASL mechanisms ask for, from wolfSSL.
#pragma once

#include "codec/smtp/sasl_crypto.h"

namespace ringpost::tls {

// For the whole process; any thread.
[[nodiscard]] const codec::SaslCrypto& sasl_crypto();

}  // namespace ringpost::tls
