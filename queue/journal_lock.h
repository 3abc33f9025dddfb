// One process at a time writes a journal.
#pragma once

#include <string>

#include "queue/journal_error.h"
#include <ringpost/base.h>

namespace ringpost::queue {

// Locks the open file until its last descriptor is closed, which the end of a process does, however
// it comes. The error names the process that has it, where /proc tells.
[[nodiscard]] Result<void, JournalError> lock_journal(int descriptor, const std::string& path);

// Who writes this journal now: "process 1234", "another process", or nothing when nobody does.
[[nodiscard]] std::string journal_writer(int descriptor);

}  // namespace ringpost::queue
