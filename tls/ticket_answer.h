// Reads from a TLS 1.2 server's first flight whether it took the ticket. Internal to tls/.
#pragma once

#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::tls {

enum class TicketVerdict : std::uint8_t {
  unknown,  // more octets are needed
  taken,    // the handshake is a short one
  refused,  // it is a full one
  other,    // this is no such flight: let wolfSSL find out what it is
};

// What the octets that a server has sent so far, from its first on, say about the ticket that was
// offered. Pure: the same octets give the same verdict, and a verdict that is known stays.
[[nodiscard]] TicketVerdict ticket_verdict(Bytes flight);

}  // namespace ringpost::tls
