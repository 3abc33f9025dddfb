// Endpoints as URLs: smtp://user@host:587, smtps://user@host:465, smtp://host:25?tls=none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <ringpost/base.h>
#include <ringpost/config.h>

namespace ringpost::cli {

// Whether `text` is meant as a URL rather than as the name of an [endpoint.NAME].
[[nodiscard]] bool is_endpoint_url(Bytes text);

// Name and secret name of the endpoint are its host. The password is left empty: it never stands in
// a URL, because arguments can be read by every user of the machine. Errors are sentences that
// quote the URL with anything that may be a password left out.
[[nodiscard]] Result<EndpointOptions, std::string> parse_endpoint_url(Bytes url);

// The URL with whatever may be a password in it left out, safe to print.
[[nodiscard]] std::string printable_url(Bytes url);

// Why TLS cannot come onto a connection to `port` that way; nothing when it can. Ports that no RFC
// speaks of are taken as they are.
[[nodiscard]] std::optional<std::string> port_conflict(std::uint16_t port,
                                                       TransportSecurity security);

// Takes the dot off the end of a name, where it says that no search domain is to be tried.
[[nodiscard]] bool take_absolute_dot(Bytes& host);

// A host name of letters, digits, hyphens and underscores, or an IP address; a clause when it is
// neither.
[[nodiscard]] std::optional<std::string> host_offence(Bytes host);

// What a user name must not hold, as a clause; nothing when it is fine. Empty is fine.
[[nodiscard]] std::optional<std::string> username_offence(Bytes username);

}  // namespace ringpost::cli
