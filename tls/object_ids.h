// Object identifiers of certificates, as the content octets of their DER. Internal to tls/.
#pragma once

#include <ringpost/base.h>

namespace ringpost::tls::object_id {

using namespace std::string_view_literals;

// Attributes of names (RFC 5280 A.1).
inline constexpr Bytes common_name = "\x55\x04\x03"sv;
inline constexpr Bytes organisation_name = "\x55\x04\x0a"sv;

// Extensions (RFC 5280 4.2.1).
inline constexpr Bytes subject_key_id = "\x55\x1d\x0e"sv;
inline constexpr Bytes key_usage = "\x55\x1d\x0f"sv;
inline constexpr Bytes subject_alternative_name = "\x55\x1d\x11"sv;
inline constexpr Bytes basic_constraints = "\x55\x1d\x13"sv;
inline constexpr Bytes authority_key_id = "\x55\x1d\x23"sv;
inline constexpr Bytes extended_key_usage = "\x55\x1d\x25"sv;

// Purposes of keys.
inline constexpr Bytes server_authentication = "\x2b\x06\x01\x05\x05\x07\x03\x01"sv;

// Algorithms, of keys and of signatures.
inline constexpr Bytes rsa_pss = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"sv;
inline constexpr Bytes ed25519 = "\x2b\x65\x70"sv;
inline constexpr Bytes ecdsa_with_sha256 = "\x2a\x86\x48\xce\x3d\x04\x03\x02"sv;

}  // namespace ringpost::tls::object_id
