// Whether a server is on this machine, which is where a benchmark may go without being asked.
#pragma once

#include <string>

#include <ringpost/base.h>

namespace ringpost::cli {

// The name may be an address. An error is a sentence with the reason and the way out.
[[nodiscard]] Result<void, std::string> check_loopback(const std::string& host);

}  // namespace ringpost::cli
