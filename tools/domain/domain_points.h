// What the answers of DNS mean for mail from a domain, and what to change.
#pragma once

#include <vector>

#include "tools/domain/domain_finding.h"

namespace ringpost::cli {

// `cost`: the provider's own SPF record, where it would have to be included; null: not asked for.
[[nodiscard]] std::vector<DomainPoint> judge_domain(const DomainFinding& found,
                                                    const ProviderRecords& provider,
                                                    const SpfFinding* cost);

}  // namespace ringpost::cli
