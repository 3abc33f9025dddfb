// What outcome files say, for people and for programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/report/outcome_tally.h"

namespace ringpost::cli {

// What was read, beside what it said.
struct ReportInput {
  std::vector<std::string> files;
  std::vector<std::string> remarks;  // what was passed over, and why
  std::size_t groups_shown = 20;
};

// Lines with their ends.
[[nodiscard]] std::string report_text(const ReportInput& input, const OutcomeTally& tally);
[[nodiscard]] std::string report_markdown(const ReportInput& input, const OutcomeTally& tally);
[[nodiscard]] std::string report_json(const ReportInput& input, const OutcomeTally& tally);

}  // namespace ringpost::cli
