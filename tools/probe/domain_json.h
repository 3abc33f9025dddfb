// What DNS says of a sender's domain, for programs.
#pragma once

#include "tools/domain/domain_finding.h"
#include "tools/probe/json_writer.h"

namespace ringpost::cli {

// Adds the member "domain".
void add_domain(JsonWriter& json, const DomainFinding& finding);

}  // namespace ringpost::cli
