// Problem: a file has many names, and a run that writes what it reads destroys it.
//
// Idea: device and inode tell which file it is; of one that is still to be made, its folder and its
// name there, behind all symbolic links. All files of a run are compared before any is opened.
//
// Limits: what somebody renames between this look and the opening is not seen.
#include "engine/run/file_role.h"

#include <array>
#include <cerrno>
#include <unistd.h>

#include <fmt/format.h>

#include "codec/text/shown_text.h"

namespace ringpost::run {

namespace {

// As many as the kernel follows (path_resolution(7)).
constexpr int symbolic_links_max = 40;

std::string folder_of_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of_file(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// Where a path that leads to no file yet would make one: the end of its symbolic links.
std::string path_to_be_made(std::string path) {
  for (int links = 0; links < symbolic_links_max; ++links) {
    std::array<char, 4096> target;
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    if (length <= 0) {
      break;
    }
    const std::string next(target.data(), static_cast<std::size_t>(length));
    path = next.starts_with('/') ? next : folder_of_path(path) + "/" + next;
  }
  return path;
}

std::optional<FileIdentity> identity_of_role(const FileRole& role) {
  if (role.descriptor < 0) {
    return identity_of(role.path);
  }
  struct stat status {};
  return ::fstat(role.descriptor, &status) == 0 ? identity_of(status) : std::nullopt;
}

std::string role_text(const FileRole& role) {
  return role.descriptor < 0 ? fmt::format("{} ({})", role.what, codec::printable(role.path))
                             : role.what;
}

bool is_stream_of_output(const FileRole& role) {
  return role.descriptor == STDOUT_FILENO || role.descriptor == STDERR_FILENO;
}

std::string conflict_text(const FileRole& one, const FileRole& other) {
  const bool reads = !one.is_written || !other.is_written;
  return fmt::format(
      "{} and {} are the same file: {}. Nothing was opened or written; give each a file of its own",
      role_text(one), role_text(other),
      reads ? "a run that writes what it reads would destroy it, or read its own lines without end"
            : "what is written as one would be lost among what is written as the other");
}

}  // namespace

std::optional<FileIdentity> identity_of(const struct stat& status) {
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
    return std::nullopt;
  }
  return FileIdentity{status.st_dev, status.st_ino, {}};
}

std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    return identity_of(status);
  }
  const std::string made = path_to_be_made(path);
  if (errno != ENOENT || ::stat(folder_of_path(made).c_str(), &status) != 0) {
    return std::nullopt;
  }
  return FileIdentity{status.st_dev, status.st_ino, name_of_file(made)};
}

std::optional<std::string> file_role_conflict(std::span<const FileRole> roles) {
  std::vector<std::optional<FileIdentity>> identities;
  for (const FileRole& role : roles) {
    identities.push_back(identity_of_role(role));
  }
  for (std::size_t one = 0; one < roles.size(); ++one) {
    for (std::size_t other = 0; identities[one] && other < one; ++other) {
      const bool matters = (roles[one].is_written || roles[other].is_written) &&
                           !(is_stream_of_output(roles[one]) && is_stream_of_output(roles[other]));
      if (matters && identities[one] == identities[other]) {
        return conflict_text(roles[other], roles[one]);
      }
    }
  }
  return std::nullopt;
}

std::vector<FileIdentity> written_files(std::span<const FileRole> roles) {
  std::vector<FileIdentity> files;
  for (const FileRole& role : roles) {
    if (auto identity = role.is_written ? identity_of_role(role) : std::nullopt) {
      files.push_back(std::move(*identity));
    }
  }
  return files;
}

}  // namespace ringpost::run
