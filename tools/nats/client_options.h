// [nats] as what a connection takes.
#pragma once

#include <string>

#include "tools/nats/client.h"
#include "tools/settings/nats_setting.h"
#include <ringpost/base.h>

namespace ringpost::nats {

// Reads the password. The error is a sentence.
[[nodiscard]] Result<ClientOptions, std::string> client_options(const cli::NatsOptions& options);

}  // namespace ringpost::nats
