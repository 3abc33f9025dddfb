// The ports that mail is handed over on, and what each of them means.
#pragma once

#include <cstdint>

#include <ringpost/config.h>

namespace ringpost::cli {

inline constexpr std::uint16_t submission_port = 587;   // STARTTLS (RFC 6409 3.1, RFC 8314 3.3)
inline constexpr std::uint16_t submissions_port = 465;  // TLS from the first octet (RFC 8314 3.3)
inline constexpr std::uint16_t mirror_port = 2525;  // like 587, by custom, where that is blocked
inline constexpr std::uint16_t tls_mirror_port = 2465;  // like 465, and
inline constexpr std::uint16_t ses_mirror_port =
    2587;                                        // like 587: at Amazon SES, for such networks
inline constexpr std::uint16_t relay_port = 25;  // between servers (RFC 5321 4.5.4.2)

// The port of an endpoint that names only how it is secured.
[[nodiscard]] constexpr std::uint16_t default_port(TransportSecurity security) {
  switch (security) {
    case TransportSecurity::starttls:
      return submission_port;
    case TransportSecurity::implicit:
      return submissions_port;
    case TransportSecurity::none:
      return relay_port;
  }
  RP_ASSERT(false);
}

// How an endpoint is secured that names only its port.
[[nodiscard]] constexpr TransportSecurity default_security(std::uint16_t port) {
  const bool implicit = port == submissions_port || port == tls_mirror_port;
  return implicit ? TransportSecurity::implicit : TransportSecurity::starttls;
}

}  // namespace ringpost::cli
