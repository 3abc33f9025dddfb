// A report as one file that a browser shows.
#pragma once

#include <string>

#include "tools/report/outcome_series.h"
#include "tools/report/outcome_tally.h"
#include "tools/report/report_words.h"

namespace ringpost::cli {

// HTML that asks for nothing from anywhere: styles, scripts and figures stand in it. Without
// scripts the tables are there and the charts are not.
[[nodiscard]] std::string report_page(const ReportInput& input, const OutcomeTally& tally,
                                      const OutcomeSeries& series);

}  // namespace ringpost::cli
