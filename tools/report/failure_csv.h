// Everybody who has no message, one row each.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/report/outcome_files.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// RFC 4180 with a header row: id,rcpt_id,rcpt,status,code,enhanced,text,stage,endpoint,ts. Of
// several lines about a recipient the last has the last word, so that files are read twice:
// standard input and pipes cannot be. An error is a sentence.
[[nodiscard]] Result<OutcomeFilesRead, std::string> write_failure_csv(
    const std::vector<std::string>& files, const std::function<void(std::string_view)>& write);

}  // namespace ringpost::cli
