// What held a run back, for people and for programs.
#pragma once

#include <string>

#include "tools/send/run_report.h"

namespace ringpost::cli {

// A line for each endpoint: the shares of the time, and which setting would change the largest.
void append_limits(std::string& text, const RunFacts& facts);
// ,"held_back_by":{"rate":0.970,"cpu":0.020} of an endpoint.
void append_json_limits(std::string& json, const EndpointReport& endpoint, const RunFacts& facts);
// The largest one of the first endpoint that has any, for a line of progress.
void append_foremost_limit(std::string& text, const RunFacts& facts);

}  // namespace ringpost::cli
