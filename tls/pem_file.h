// Files of certificates and keys. Internal to tls/.
#pragma once

#include <string>

#include <ringpost/base.h>

namespace ringpost::tls {

// All of `file`. The error is the reason why there is nothing: errno's text, or that it is too
// large.
[[nodiscard]] Result<std::string, std::string> read_pem_file(const std::string& file);

}  // namespace ringpost::tls
