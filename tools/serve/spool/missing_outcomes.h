// Outcome lines that are in journals and, since a kill came between, not in the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::serve {

// Appends to `outcomes_path` what the last run of each of these journals has told, as far as that
// run wrote to a file of this name, and the file does not have. Where it ends with a part of such a
// line, that is written anew. Returns how many lines were missing. The error is a sentence. Memory:
// 8 octets for each outcome of these runs. Nobody else writes the file meanwhile.
[[nodiscard]] Result<std::uint64_t, std::string> add_missing_outcomes(
    const std::vector<std::string>& journal_paths, const std::string& outcomes_path);

}  // namespace ringpost::serve
