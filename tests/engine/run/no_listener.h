// An engine for runs in which nobody is sent to.
#pragma once

#include <ringpost/config.h>

namespace ringpost::run::test {

// With an endpoint at whose port nobody listens, and no patience for it.
[[nodiscard]] inline EngineOptions engine_without_listener() {
  EngineOptions options;
  EndpointOptions& endpoint = options.endpoints.emplace_back();
  endpoint.name = "nobody";
  endpoint.host = "127.0.0.1";
  endpoint.port = 1;
  endpoint.security = TransportSecurity::none;
  endpoint.client_name = "client.example";
  endpoint.patience = Duration::zero();
  return options;
}

}  // namespace ringpost::run::test
