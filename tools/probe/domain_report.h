// What DNS says of a sender's domain, for people.
#pragma once

#include <string>

#include "tools/domain/domain_finding.h"
#include "tools/probe/probe_report.h"

namespace ringpost::cli {

// Lines with their ends. No octet of a stranger's record reaches it unescaped.
[[nodiscard]] std::string domain_text(const DomainFinding& finding,
                                      const ProbeReportOptions& options);

// A record as a line of a zone file without its TTL: `NAME TXT "value"`.
[[nodiscard]] std::string zone_line(const DnsChange& change);

}  // namespace ringpost::cli
