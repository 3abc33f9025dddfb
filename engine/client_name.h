// How this machine names itself in EHLO when nobody said how.
#pragma once

#include <string>

namespace ringpost::engine {

// The machine's name where it is one that a server can look up, else an address literal (RFC 5321
// 4.1.3).
[[nodiscard]] std::string default_client_name();

}  // namespace ringpost::engine
