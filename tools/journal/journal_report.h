// What a journal holds, for people and for programs.
#pragma once

#include <string>

#include "queue/journal_history.h"

namespace ringpost::cli {

// Several lines with a newline at the end, or one JSON object in a line.
[[nodiscard]] std::string journal_text(const std::string& path,
                                       const queue::JournalReading& reading);
[[nodiscard]] std::string journal_json(const std::string& path,
                                       const queue::JournalReading& reading);

// Whether a resume would take it as it is; and what is wrong with it, or that nothing is: one line
// each.
[[nodiscard]] bool is_whole(const queue::JournalReading& reading);
[[nodiscard]] std::string verification_text(const std::string& path,
                                            const queue::JournalReading& reading);

}  // namespace ringpost::cli
