// Which port of an endpoint to use, how fast it can be, and what to write into the configuration.
#pragma once

#include <string>
#include <vector>

#include "tools/probe/ehlo_reply.h"
#include "tools/probe/probe_finding.h"

namespace ringpost::cli {

struct ProbeVerdict {
  // Null: no port is usable. Points into the finding.
  const PortFinding* best = nullptr;
  std::vector<std::string> reasons;  // why this one, and what else counts
  SubmissionMode mode = SubmissionMode::lock_step;
  double round_trip_ms = 0;  // the quickest reply to a command; 0: none was measured
  std::string url;           // for -e
  std::string toml;          // an [endpoint.NAME]; lines with their ends
};

[[nodiscard]] ProbeVerdict judge(const ProbeFinding& finding);

// The endpoint on this port as a URL and as a section of ringpost.toml.
[[nodiscard]] std::string url_of(const ProbeFinding& finding, const PortFinding& port);
[[nodiscard]] std::string toml_of(const ProbeFinding& finding, const PortFinding& port);

}  // namespace ringpost::cli
