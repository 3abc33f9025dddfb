// What the hot path did, counted, in the summary of a run: `ringpost send --stats internal`.
#pragma once

#include <string>

#include "tools/send/run_report.h"

namespace ringpost::cli {

// Lines with a total and what that is for each message.
void append_internal_text(std::string& text, const RunFacts& facts);
// `,"internal":{...}`: totals only, so that two runs can be subtracted from each other.
void append_internal_json(std::string& json, const RunFacts& facts);

}  // namespace ringpost::cli
