// The phases of a session, in their order: a later phase compares greater.
#pragma once

#include <cstdint>

namespace ringpost::protocol {

enum class SessionState : std::uint8_t {
  greeting,   // waiting for 220: nothing may be sent (RFC 5321 3.1)
  hello,      // EHLO, in clear or on a connection that is TLS from its first byte
  starttls,   // STARTTLS is out; nothing may follow it (RFC 3207 4)
  handshake,  // 220 was read; the caller does the TLS handshake
  hello_tls,  // the second EHLO: what was announced before TLS is forgotten
  auth,       // AUTH and its challenges
  ready,      // messages are taken
  quitting,   // QUIT is out
  closed,     // dead; every message has had its verdict
};

}  // namespace ringpost::protocol
