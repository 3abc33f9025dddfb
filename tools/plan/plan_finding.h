// What `ringpost plan` found, as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/plan/run_forecast.h"
#include <ringpost/base.h>

namespace ringpost::cli {

struct PlannedEndpoint {
  std::string name;
  ForecastOptions options;
  bool way_is_known = false;    // what the server announces stands in its preset
  bool rate_is_learnt = false;  // by an earlier run: nobody has told it
  std::uint64_t messages = 0;
  std::uint64_t recipients = 0;
  std::uint64_t octets = 0;
  ForecastResult forecast;
};

struct PlanFinding {
  std::vector<PlannedEndpoint> endpoints;
  std::uint64_t jobs = 0;
  std::uint64_t recipients = 0;
  std::uint64_t invalid = 0;
  std::string first_invalid;  // FILE:LINE: FIELD: WHY
  Duration reply_time{0};
  bool reply_time_is_presumed = false;
  bool counts_are_known = false;  // a state file was read
  std::int64_t starts_unix_us = 0;
  std::vector<std::string> notes;

  // Of all endpoints, which send side by side.
  [[nodiscard]] Duration duration() const;
};

}  // namespace ringpost::cli
