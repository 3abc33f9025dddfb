// What a run does with each file, so that no file that is read is written, and none is written as
// two things at a time.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <sys/stat.h>
#include <sys/types.h>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::run {

// Which file it is, by whatever name: symbolic and hard links, and /dev/stdout, lead to the same.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;   // of the file; of its folder, while there is none
  std::string name;  // in that folder, of a file that is still to be made
  bool operator==(const FileIdentity&) const = default;
};

// Nothing for what is no file with content of its own: pipes, terminals, /dev/null, and paths that
// lead nowhere, which opening them will tell.
[[nodiscard]] std::optional<FileIdentity> identity_of(const struct stat& status);
[[nodiscard]] std::optional<FileIdentity> identity_of(const std::string& path);

struct FileRole {
  std::string what;  // "--outcomes", "a job file", "the configuration file"
  std::string path;
  int descriptor = -1;  // instead of the path: a standard stream
  bool is_written = false;
};

// The first two roles that have one file, of which one is written: a text that names both, and what
// to do. Nothing is opened. The same messages and data may go to one file, as with `>log 2>&1`.
[[nodiscard]] std::optional<std::string> file_role_conflict(std::span<const FileRole> roles);

// Of the roles that are written, those that are files.
[[nodiscard]] std::vector<FileIdentity> written_files(std::span<const FileRole> roles);

}  // namespace ringpost::run
