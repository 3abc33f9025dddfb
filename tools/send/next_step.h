// What to run behind a run that did not get everything through.
#pragma once

#include <string>
#include <vector>

#include "tools/send/run_report.h"
#include "tools/settings/settings.h"

namespace ringpost::cli {

// This very command line with --resume, as a shell takes it.
[[nodiscard]] std::string resume_command();
// For those who were put off, those in doubt, and jobs that are to be mended, in this order. None
// where nobody can say it in a command, and none of a dry run.
[[nodiscard]] std::vector<NextStep> next_steps(const run::RunTally& tally,
                                               const SendSettings& settings);

}  // namespace ringpost::cli
