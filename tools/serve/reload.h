// What of a configuration is taken over while `serve` runs, and what waits for the next start.
#pragma once

#include <string>
#include <vector>

#include "tools/serve/serve_settings.h"

namespace ringpost::cli {

// What is another in `fresh` and needs a start, in the words of the configuration:
// "[[listen.smtp]] 127.0.0.1:2525", "cores". Endpoints, and what front ends take over by themselves
// (users, tokens, certificates, routes), are not among it.
[[nodiscard]] std::vector<std::string> changes_for_a_start(const ServeSettings& running,
                                                           const ServeSettings& fresh);

}  // namespace ringpost::cli
