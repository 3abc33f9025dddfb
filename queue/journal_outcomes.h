// The outcome lines of a journal, read from its file.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "codec/journal/journal_record.h"
#include "queue/journal_error.h"
#include "queue/journal_history.h"
#include <ringpost/base.h>

namespace ringpost::queue {

// Is given one outcome after the other, and returns whether it wants more. The line lives as long
// as the call.
using OutcomeTaker = std::function<bool(const codec::JournalOutcome& outcome)>;

// Every outcome in the order of the file, those of the runs before `run_index` (from 0) left out.
// Damaged stretches are passed over.
[[nodiscard]] Result<void, JournalError> for_each_outcome(const std::string& path,
                                                          std::size_t run_index,
                                                          const OutcomeTaker& take);

// The last outcome of each recipient, in the order of the file; nothing of a recipient who is in
// flight, since what is known of him is not true any more. Returns what else is known. Reads the
// file twice; memory: the history, and some 60 octets for each recipient who has more than one
// outcome.
[[nodiscard]] Result<JournalReading, JournalError> for_each_last_outcome(const std::string& path,
                                                                         const OutcomeTaker& take);

}  // namespace ringpost::queue
