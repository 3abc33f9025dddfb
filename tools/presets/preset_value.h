// Values of presets that are more than a number or a word, and none of which is an endpoint's as it
// stands: ports, each with the way in which TLS comes onto it.
#pragma once

#include <cstdint>
#include <string>

#include <ringpost/base.h>
#include <ringpost/config.h>

namespace ringpost::cli {

struct PresetPort {
  std::uint16_t port = 0;
  TransportSecurity security = TransportSecurity::starttls;

  bool operator==(const PresetPort&) const = default;
};
// "587", secured as its number says (465 and 2465: implicit TLS), or "587 starttls", "465
// implicit", "25 none". The error is a clause that quotes the text.
[[nodiscard]] Result<PresetPort, std::string> parse_preset_port(Bytes text);

}  // namespace ringpost::cli
