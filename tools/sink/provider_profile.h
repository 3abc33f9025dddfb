// A provider as the sink plays it: its caps and rates, and the words in which it refuses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/server/server_observer.h"
#include <ringpost/base.h>
#include <ringpost/quota.h>

namespace ringpost::sink {

// What a provider refuses for. The words of flags and of the summary; they are only ever added to.
enum class ProviderLimit : std::uint8_t {
  rate,   // so many in a window shorter than an hour
  quota,  // or in one of an hour and more
  connections,
  messages,    // of a connection
  recipients,  // of a message
  bytes,       // likewise
  idle,
  age,
  login,   // a wrong name or secret
  outage,  // for a while everything
};
inline constexpr std::size_t provider_limit_count = 10;
[[nodiscard]] std::string_view name_of(ProviderLimit limit);
[[nodiscard]] std::optional<ProviderLimit> provider_limit_named(Bytes name);

// One line. `text` begins with the enhanced status where the provider says one.
struct ProviderReply {
  // Where it is said: rates and outages at mail or at end, connections at greeting, auth, mail or
  // end. The other limits have one place each.
  server::Stage stage = server::Stage::end;
  std::uint16_t code = 0;
  std::string text;
};
// Those of servers that say what anybody says.
[[nodiscard]] ProviderReply usual_reply(ProviderLimit limit);

// 0 and none: no limit.
struct ProviderCaps {
  std::vector<QuotaLimit> rates{};  // of a unit and period one at most
  std::size_t connections = 0;
  std::size_t messages = 0;
  std::size_t recipients = 0;
  std::uint64_t bytes = 0;
  Duration idle{0};
  Duration age{0};
};

// One cap that takes the place of what was there. A rate that has no value takes all of them away.
struct CapSetting {
  ProviderLimit limit = ProviderLimit::rate;
  std::optional<QuotaLimit> rate{};
  std::uint64_t number = 0;
  Duration duration{0};
};
void lay(const CapSetting& setting, ProviderCaps& caps);

struct ProviderOutage {
  ProviderReply reply;
  Duration length{0};
};

// What is another from a moment on, counted from the first connection.
struct ProviderChange {
  Duration at{0};
  std::variant<CapSetting, ProviderOutage> what;
};

struct ProviderProfile {
  std::string name;  // for people
  ProviderCaps caps;
  std::array<ProviderReply, provider_limit_count> replies;
  // The 2xx to a message, as "250 Ok {id}"; empty: the sink's own. {id}, {message_id}, {host},
  // {time} and {session} are filled in.
  std::string accepted;
  std::vector<ProviderChange> changes;  // in order of time

  ProviderProfile();
  [[nodiscard]] const ProviderReply& reply(ProviderLimit limit) const {
    return replies[static_cast<std::size_t>(limit)];
  }
};

}  // namespace ringpost::sink
