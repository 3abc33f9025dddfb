// Outcome files, read to their ends.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tools/report/outcome_record.h"
#include <ringpost/base.h>

namespace ringpost::cli {

struct OutcomeFilesRead {
  std::uint64_t lines = 0;      // outcome lines
  std::uint64_t bad_lines = 0;  // that are none
  std::string first_bad;        // FILE:LINE: why
  // A file that ends within a line, as after a power cut, or could not be read further.
  std::vector<std::string> remarks;
};

// Each outcome line, in the order of the files, with its number among all of them. Views are valid
// during the call. Files may be gzip or zstd; "-" is standard input. An error is a file that cannot
// be opened, and a sentence.
using OutcomeHook = std::function<void(const OutcomeRecord& record, std::uint64_t number)>;
[[nodiscard]] Result<OutcomeFilesRead, std::string> read_outcome_files(
    const std::vector<std::string>& files, const OutcomeHook& hook);

}  // namespace ringpost::cli
