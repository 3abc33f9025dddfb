// The files of one run, before any of them is opened for writing.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/run/file_role.h"
#include "tools/settings/settings.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// Everything that the run reads and writes, as far as it is known before the jobs are read: what
// these name is refused by run::JobFileSource.
[[nodiscard]] std::vector<run::FileRole> files_of_run(const SendSettings& settings);

// An error is a sentence: one file has two roles, or outcome lines would be added to a file of
// something else. Opens files for reading alone. When standard error is one of these files, it is
// not any more after an error.
[[nodiscard]] Result<void, std::string> check_files_of_run(const SendSettings& settings);

// For commands that read files and print: what they print must not go into one of them. None named
// is standard input; `what` they are, as in "job file".
[[nodiscard]] Result<void, std::string> check_files_read(std::span<const std::string> files,
                                                         std::string_view what);

}  // namespace ringpost::cli
