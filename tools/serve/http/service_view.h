// What can be read of the whole service by HTTP.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace ringpost::http {

// Called on the thread of all connections.
struct ServiceView {
  std::function<std::string()> stats;                     // a JSON object
  std::function<std::string()> metrics;                   // Prometheus' text
  std::function<std::optional<std::string>()> not_ready;  // why no mail goes out; nothing: it does
};

}  // namespace ringpost::http
