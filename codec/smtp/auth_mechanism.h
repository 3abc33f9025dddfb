// What is known of each SASL mechanism: its row of the table in auth_mechanism.cpp, which the
// settings, the choice among those announced, the exchange and the search for secrets read.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <ringpost/auth_mechanism.h>
#include <ringpost/base.h>

namespace ringpost::codec {

class SaslClient;
struct Credentials;
struct SaslTools;

// Which first challenge is not the mechanism's, but asks for the initial response that the server
// has passed over.
enum class AsksAgain : std::uint8_t { never, when_blank, always };

struct MechanismTraits {
  AuthMechanism mechanism;
  std::string_view name;       // in IANA's registry
  bool takes_token;            // instead of a password
  bool says_secret;            // the password or the token itself, rather than a proof of it
  bool needs_crypto;           // and reads what the server's challenges say
  std::uint8_t rank_by_tls;    // the lower, the earlier it is taken
  std::uint8_t rank_in_clear;  // the same without TLS
  AsksAgain asks_again;
  // Both outlive the client.
  std::unique_ptr<SaslClient> (*make)(const Credentials& credentials, const SaslTools& tools);
};

// In the order of the enumeration.
[[nodiscard]] const std::array<MechanismTraits, auth_mechanism_count>& mechanism_table();
[[nodiscard]] const MechanismTraits& traits_of(AuthMechanism mechanism);

[[nodiscard]] std::string_view name_of(AuthMechanism mechanism);
// By its name, in upper or lower case.
[[nodiscard]] std::optional<AuthMechanism> find_mechanism(Bytes name);
// Whether the mechanism takes a token instead of a password.
[[nodiscard]] bool takes_token(AuthMechanism mechanism);
// Whether the password itself is said, rather than a proof of it.
[[nodiscard]] bool says_password(AuthMechanism mechanism);

// Bit n: AuthMechanism n.
using MechanismSet = std::uint8_t;
static_assert(auth_mechanism_count <= 8);
[[nodiscard]] constexpr MechanismSet bit_of(AuthMechanism mechanism) {
  return static_cast<MechanismSet>(1u << static_cast<unsigned>(mechanism));
}

}  // namespace ringpost::codec
