// What `ringpost plan` found, for people and for programs.
#pragma once

#include <string>

#include "tools/plan/plan_finding.h"

namespace ringpost::cli {

// "2 days 3 h", "4 h 20 min", "3 min 20 s", "12.5 s".
[[nodiscard]] std::string span_text(Duration duration);

// Lines with their ends.
[[nodiscard]] std::string plan_text(const PlanFinding& finding);
[[nodiscard]] std::string plan_json(const PlanFinding& finding);

}  // namespace ringpost::cli
