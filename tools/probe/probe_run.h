// A whole probe: the name, then all ports side by side.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/submission_port.h"
#include "tools/probe/probe_finding.h"
#include "tools/probe/probe_port.h"
#include "tools/process/usage_error.h"
#include "tools/settings/endpoint_choice.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// The ports of a submission service, in the order in which they are worth a try, and the one
// between servers.
inline constexpr std::uint16_t submission_ports[] = {submission_port, submissions_port, mirror_port,
                                                     relay_port};

// The same, and those that few have: --all-ports.
inline constexpr std::uint16_t known_ports[] = {submission_port, submissions_port, mirror_port,
                                                ses_mirror_port, tls_mirror_port,  relay_port};

struct ProbeRequest {
  ChosenEndpoint endpoint;  // with its password, where there is one
  bool is_configured = false;
  std::vector<std::uint16_t> ports;  // instead of the endpoint's own; empty: those
  Duration timeout = std::chrono::seconds(10);
};

// What is to be done on each port, without doubles. The endpoint's own ports are secured as it
// says; on others 465 and 2465 are TLS from the first octet and the rest STARTTLS, required. Port
// 25 gets credentials only when it is the endpoint's own.
[[nodiscard]] std::vector<PortPlan> plan_ports(const ProbeRequest& request);

// Blocks, at most for five times the timeout. An error is a file that cannot be used.
[[nodiscard]] Result<ProbeFinding, UsageError> run_probe(const ProbeRequest& request);

}  // namespace ringpost::cli
