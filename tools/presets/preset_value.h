// Values of presets that are more than a number or a word: ports and rate windows.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <ringpost/base.h>
#include <ringpost/config.h>

namespace ringpost::cli {

// Each error is a clause that quotes the text.

struct PresetPort {
  std::uint16_t port = 0;
  TransportSecurity security = TransportSecurity::starttls;

  bool operator==(const PresetPort&) const = default;
};
// "587", secured as its number says (465 and 2465: implicit TLS), or "587 starttls", "465
// implicit", "25 none".
[[nodiscard]] Result<PresetPort, std::string> parse_preset_port(Bytes text);

enum class RateUnit : std::uint8_t { messages, recipients, bytes };

// So many in any time of this length.
struct RateWindow {
  std::uint64_t amount = 0;
  RateUnit unit = RateUnit::messages;
  std::chrono::seconds period{1};

  bool operator==(const RateWindow&) const = default;
};
// "14 recipients/s", "10k messages/d", "30/m": messages, where no unit is named.
[[nodiscard]] Result<RateWindow, std::string> parse_rate_window(Bytes text);

// "14 recipients/s".
[[nodiscard]] std::string rate_window_text(const RateWindow& window);

}  // namespace ringpost::cli
