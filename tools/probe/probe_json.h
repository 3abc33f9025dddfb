// A probe's findings for programs: one JSON object, described in docs/how-to/which-port.md.
#pragma once

#include <string>

#include "tools/probe/probe_finding.h"

namespace ringpost::cli {

// One line with its end.
[[nodiscard]] std::string probe_json(const ProbeFinding& finding);

}  // namespace ringpost::cli
