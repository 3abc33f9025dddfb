// What outcome files say, for people and for programs.
#pragma once

#include <string>

#include "tools/report/outcome_tally.h"
#include "tools/report/report_words.h"

namespace ringpost::cli {

// Lines with their ends.
[[nodiscard]] std::string report_text(const ReportInput& input, const OutcomeTally& tally);
[[nodiscard]] std::string report_markdown(const ReportInput& input, const OutcomeTally& tally);
[[nodiscard]] std::string report_json(const ReportInput& input, const OutcomeTally& tally);

}  // namespace ringpost::cli
