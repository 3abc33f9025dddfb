#include "engine/protocol/pipelining.h"

#include <array>

namespace ringpost::protocol {

std::string_view name_of(Pipelining pipelining) {
  constexpr std::array<std::string_view, pipelining_count> names = {"lock-step", "command groups",
                                                                    "DATA groups", "BDAT flights"};
  return names[static_cast<std::size_t>(pipelining)];
}

Pipelining one_less(Pipelining pipelining) {
  RP_ASSERT(pipelining != Pipelining::off);
  return static_cast<Pipelining>(static_cast<std::uint8_t>(pipelining) - 1);
}

}  // namespace ringpost::protocol
