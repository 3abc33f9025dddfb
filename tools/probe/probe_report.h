// A probe's findings for people.
#pragma once

#include <cstddef>
#include <string>

#include "tools/probe/probe_finding.h"

namespace ringpost::cli {

struct ProbeReportOptions {
  bool color = false;
  std::size_t columns = 100;
  bool transcript = false;  // of every port; otherwise only the end of those that are not usable
};

// Lines with their ends. No octet of a server's reaches it unescaped.
[[nodiscard]] std::string probe_text(const ProbeFinding& finding,
                                     const ProbeReportOptions& options);

}  // namespace ringpost::cli
