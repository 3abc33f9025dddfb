// What held a run back, for people and for programs.
#pragma once

#include <string>

#include "tools/send/run_report.h"

namespace ringpost::cli {

// A line for each endpoint: the shares of the time, and which setting would change the largest.
void append_limits(std::string& text, const RunFacts& facts);
// ,"held_back_by":{"rate":0.970,"cpu":0.020} of an endpoint.
void append_json_limits(std::string& json, const EndpointReport& endpoint, const RunFacts& facts);
// "held back by rate 97 %": the largest one of the first endpoint that has any; empty: none has.
[[nodiscard]] std::string foremost_limit(const RunFacts& facts);

}  // namespace ringpost::cli
