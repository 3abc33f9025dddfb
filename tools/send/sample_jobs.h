// Jobs to try ringpost with.
#pragma once

#include <cstddef>
#include <string>

namespace ringpost::cli {

// `count` job lines: one of each kind first (text and HTML, non-ASCII headers, a finished message,
// several recipients of whom some are refused by the embedded ESP, a line that is not valid), then
// a newsletter to as many readers as are left.
[[nodiscard]] std::string sample_jobs(std::size_t count);

}  // namespace ringpost::cli
