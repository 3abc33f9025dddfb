// How this machine names itself in EHLO when nobody said how.
#pragma once

#include <string>
#include <string_view>

#include "engine/io/socket_address.h"

namespace ringpost::engine {

// The machine's name, where it is one that a server can look up; else empty, and the address
// literal of the connection takes its place (RFC 5321 4.1.3).
[[nodiscard]] std::string default_client_name();

// Whether servers far away can make sense of a host's name: containers have none but for
// themselves, and "localhost.localdomain" is everybody's.
[[nodiscard]] bool is_public_name(std::string_view host);

// The literal of the address that this machine speaks to `peer` from: "[192.0.2.1]" or
// "[IPv6:2001:db8::1]". "[127.0.0.1]" to peers on this machine, and where the kernel does not say.
[[nodiscard]] std::string address_literal_towards(const io::SocketAddress& peer);

}  // namespace ringpost::engine
