// The ports that mail is handed over on, and what each of them means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <ringpost/config.h>

namespace ringpost {

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

// Why TLS cannot come onto a connection to `port` that way; nothing when it can. Ports that no RFC
// speaks of are taken as they are.
[[nodiscard]] std::optional<std::string> port_conflict(std::uint16_t port,
                                                       TransportSecurity security);

// How `port` of a list is secured where only the whole list was said to be secured like that. Each
// goes its own way where that cannot be, and so do Amazon's, whose numbers say how.
[[nodiscard]] TransportSecurity security_in_list(std::uint16_t port, TransportSecurity said);

}  // namespace ringpost
