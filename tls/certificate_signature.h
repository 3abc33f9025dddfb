// Whether one certificate was signed with the key of another. Internal to tls/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tls/certificate.h"
#include <ringpost/base.h>

namespace ringpost::tls {

enum class SignatureVerdict : std::uint8_t {
  good,
  bad,
  weak,         // made with a hash that can be forged (SHA-1, MD5); it was not looked at
  unsupported,  // of a kind that is not known here
};

// Costs 0.05 to 1 ms, for a key of up to rsa_key_bits_max.
[[nodiscard]] SignatureVerdict check_signature(const Certificate& subject,
                                               const Certificate& issuer);

// Whether the algorithm that a certificate is signed with can be relied on: good, weak or
// unsupported. The key is not looked at.
[[nodiscard]] SignatureVerdict check_algorithm(const Certificate& certificate);

// Whether a certificate's own key is long enough and of a kind that is known.
[[nodiscard]] SignatureVerdict check_key(const Certificate& certificate);

// Whether a server can prove in a handshake that it has the key of this certificate. wolfSSL knows
// no signatures of TLS 1.3 by a key that is for RSASSA-PSS only.
[[nodiscard]] bool can_prove_itself(const Certificate& leaf);

// "SHA-1 with RSA"; "an unknown algorithm" with its object id.
[[nodiscard]] std::string signature_name(const Certificate& certificate);

// As describe() of public_key.h has it.
[[nodiscard]] std::string key_name(const Certificate& certificate);

// The keys that check_key() takes, for people.
[[nodiscard]] std::string_view supported_keys();

}  // namespace ringpost::tls
