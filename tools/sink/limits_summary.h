// What a played provider has counted, as text for people and as JSON for scripts.
#pragma once

#include <string>

#include "tools/sink/provider_limits.h"

namespace ringpost::sink {

// Several lines, the last one with a LF behind it.
void append_limits_text(std::string& text, const LimitsReport& report);
// One object. Keys are only ever added.
void append_limits_json(std::string& json, const LimitsReport& report);

}  // namespace ringpost::sink
