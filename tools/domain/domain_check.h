// Asks DNS what receivers will ask, and judges the answers.
#pragma once

#include <string>

#include "tools/domain/domain_finding.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// "news@example.com" and "example.com" are the same sender. An error says what is no domain.
[[nodiscard]] Result<std::string, std::string> read_sender_domain(Bytes text);

// Blocks while `ask` does. Precondition: the domains of `request` come from read_sender_domain().
[[nodiscard]] DomainFinding check_domain_of(const DomainRequest& request, const AskDns& ask);

}  // namespace ringpost::cli
