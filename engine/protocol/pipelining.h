// How far commands run ahead of replies, where PIPELINING (RFC 2920) and CHUNKING (RFC 3030) are
// announced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codec/base.h"
#include "codec/smtp_capability.h"

namespace ringpost::protocol {

// In order: each runs further ahead than the one before it.
enum class Pipelining : std::uint8_t {
  // Every command waits for the reply to the one before: four round trips a message.
  off,
  // MAIL, RCPTs and DATA leave together: two round trips.
  within,
  // Content, end of data and the next message's MAIL, RCPTs and DATA leave together: one.
  across,
  // RSET, MAIL, RCPTs and BDAT of many messages leave together: many messages a round trip.
  flights,
};
inline constexpr std::size_t pipelining_count = 4;
// "lock-step", "command groups", "DATA groups", "BDAT flights".
[[nodiscard]] std::string_view name_of(Pipelining pipelining);
// Precondition: it is not `off`.
[[nodiscard]] Pipelining one_less(Pipelining pipelining);

// What sessions have learnt of a server, handed on to the next.
struct PipeliningKnowledge {
  Pipelining most = Pipelining::flights;  // what runs further ahead went wrong
  Pipelining proven = Pipelining::off;    // replies have kept step so far ahead
  bool chunking_proven = false;           // a BDAT was answered with a 2xx
  // A session was ended in a flight behind so many messages, as by a server that takes no more of
  // them a session; 0: none was. What is in flight then is in doubt, so the flights of later
  // sessions end here, and the next message goes alone. When it is taken this was no limit.
  std::uint64_t session_messages = 0;
  // A hash of the server's words for RSET, when those for a message were others; 0: not known.
  std::size_t reset_text = 0;
  // Ways to log in that the server announces: those that it does not know how to go, and those that
  // have worked.
  codec::MechanismSet mechanisms_failed = 0;
  codec::MechanismSet mechanisms_proven = 0;

  bool operator==(const PipeliningKnowledge&) const = default;
};

}  // namespace ringpost::protocol
