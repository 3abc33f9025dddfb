// Where an endpoint can be found: its addresses, and how each of them has fared.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/socket_address.h"
#include <ringpost/base.h>

namespace ringpost::engine {

// An address that failed rests: it is tried behind the others until its rest is over, and the rests
// grow. It is never left out, since the others may be gone next. Families alternate (RFC 8305 4),
// the one that the system prefers goes first (RFC 6724), and sessions take turns among its
// addresses. In a round every address is tried once. Knows no clock; addresses go by their text.
class AddressBook {
 public:
  // What a look-up has found, in the resolver's order. Those that were known keep their record.
  // Whether one of them is new.
  bool replace(const std::vector<io::SocketAddress>& found);
  // Forgets all of them: the endpoint is looked for on another port.
  void clear() { entries_.clear(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }

  // For one session, the best first.
  [[nodiscard]] std::vector<io::SocketAddress> order(Instant now);
  // The same without those that this round has tried.
  [[nodiscard]] std::vector<io::SocketAddress> rest_of_round(Instant now);
  [[nodiscard]] bool round_is_over() const;
  void begin_round();

  enum class Answer : std::uint8_t {
    none,     // no connection
    trouble,  // something that may be otherwise the next time
    refusal,  // for good: its server said so, or showed a wrong certificate
  };
  // Nothing came of this one.
  void failed(std::string_view address, Answer answer, Instant now);
  // A session there was let in, or an answer came.
  void session_began(std::string_view address);
  void session_ended(std::string_view address);

  // Whether there is an address that does not rest.
  [[nodiscard]] bool has_rested(Instant now) const;
  // What all say together, by the latest answer of each: no for good only where all do that gave
  // any.
  [[nodiscard]] Answer answer() const;
  [[nodiscard]] std::uint32_t sessions(std::string_view address) const;

 private:
  struct Entry {
    io::SocketAddress address;
    std::string text;
    std::uint32_t failures_in_a_row = 0;
    Instant rests_until{};
    Answer answer = Answer::none;  // the latest
    bool tried = false;            // in this round
    std::uint32_t sessions = 0;    // that were let in and have not ended
  };

  [[nodiscard]] Entry* find(std::string_view address);
  [[nodiscard]] std::vector<io::SocketAddress> in_order(Instant now, bool all);

  std::vector<Entry> entries_;  // families alternate
  std::size_t turn_ = 0;
};

}  // namespace ringpost::engine
