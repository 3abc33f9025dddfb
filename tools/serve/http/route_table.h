// Which request is for what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/dialect/dialect.h"
#include "tools/serve/http/answer.h"
#include "tools/serve/http/request_reader.h"
#include <ringpost/base.h>

namespace ringpost::http {

enum class Action : std::uint8_t { jobs, inject, kumomta, stats, metrics, healthz, readyz };

// A request that is served, as far as its head says.
struct Route {
  Action action = Action::healthz;
  std::optional<codec::Dialect> dialect;
  bool waits_for_storage = false;  // ?wait=accepted

  [[nodiscard]] bool takes_jobs() const {
    return action == Action::jobs || action == Action::inject || action == Action::kumomta;
  }
};

struct Access {
  Bytes token;  // empty: none is asked for
};

// The route, or what to answer instead: 401, 403, 404, 405, 400 for the query, 413 and 415.
[[nodiscard]] Result<Route, Answer> route_of(const RequestHead& head, const Access& access);

// Without a hint in how long it takes: every octet is compared.
[[nodiscard]] bool is_same_secret(Bytes left, Bytes right);

}  // namespace ringpost::http
