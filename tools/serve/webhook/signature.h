// By which a receiver knows that a batch comes from who has the secret: the headers of the
// specification "Standard Webhooks" (standardwebhooks.com), for which many languages have a
// library.
#pragma once

#include <cstdint>
#include <string>

#include "codec/smtp/sasl_crypto.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// The key that a file of a secret stands for: what follows `whsec_` is base64, anything else is
// taken as it stands, without the line end behind it. The error is a clause.
[[nodiscard]] Result<std::string, std::string> webhook_key_of(Bytes content);

// "v1," and the base64 of HMAC-SHA256(key, ID "." UNIX_SECONDS "." BODY): the value of the header
// field webhook-signature.
[[nodiscard]] std::string webhook_signature(const codec::SaslCrypto& crypto, Bytes key, Bytes id,
                                            std::int64_t unix_seconds, Bytes body);

}  // namespace ringpost::serve
