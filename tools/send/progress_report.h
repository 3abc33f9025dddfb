// How far a run is, in words for people and as JSON for programs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/process/terminal.h"
#include "tools/send/run_report.h"

namespace ringpost::cli {

// Lines without newlines, none of which fills the width, and fewer than there are rows. Escape
// sequences are in them with `color` alone.
[[nodiscard]] std::vector<std::string> progress_block(const RunFacts& facts,
                                                      const TerminalSize& size, bool color);
// The same as one line, however long, without a newline.
[[nodiscard]] std::string progress_text(const RunFacts& facts);
// As one JSON object, with a newline.
[[nodiscard]] std::string progress_json(const RunFacts& facts);

}  // namespace ringpost::cli
