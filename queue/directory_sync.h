// A new name is only on the disk when its directory is.
#pragma once

#include <string>

#include "queue/journal_error.h"
#include <ringpost/base.h>

namespace ringpost::queue {

// Waits until the directory that `path` stands in is on the disk.
[[nodiscard]] Result<void, JournalError> sync_directory_of(const std::string& path);

}  // namespace ringpost::queue
