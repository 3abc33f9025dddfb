// Whether a file holds outcome lines: to no other one are any added.
#pragma once

#include <string>

#include <ringpost/base.h>

namespace ringpost::run {

// By the first octets of a file, which may end anywhere. One line that says of somebody what became
// of him is enough; so are lines that a crash has torn before that, and nothing at all. Octets that
// a power cut has kept from the disk read as NUL, and count as missing.
[[nodiscard]] bool holds_outcome_lines(Bytes head);

// An error is a sentence: the regular file of that name has something else in it. No file, no
// regular file and an empty one are fine; whether it can be opened, opening it will tell. `flag`
// names it.
[[nodiscard]] Result<void, std::string> check_outcome_content(Bytes flag, const std::string& path);

}  // namespace ringpost::run
