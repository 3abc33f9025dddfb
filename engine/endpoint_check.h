// What can be wrong with an endpoint, whoever described it: a file, a URL, flags or a program that
// embeds the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <ringpost/config.h>

namespace ringpost {

// Where somebody cannot do what a text proposes, he finds other words for the rule.
enum class EndpointRule : std::uint8_t {
  other,
  login_in_clear,
  token_place,      // without a user name or TLS, or beside a password
  token_mechanism,  // that takes none
  certificate_pair,
};

struct EndpointOffence {
  std::string_view key;  // of the settings file, which is to blame
  std::string text;      // a clause
  EndpointRule rule = EndpointRule::other;
};

// The first rule that the endpoint breaks; nothing where it is fine. A password or token may still
// be missing.
[[nodiscard]] std::optional<EndpointOffence> endpoint_offence(const EndpointOptions& options);

// The ports to try, the preferred one first: `ports`, or `port` alone.
[[nodiscard]] std::vector<PortOption> ports_of(const EndpointOptions& options);
// Whether any of them has TLS, or a password would go out in clear.
[[nodiscard]] bool has_port_with_tls(const EndpointOptions& options);
[[nodiscard]] bool has_port_in_clear(const EndpointOptions& options);

}  // namespace ringpost
