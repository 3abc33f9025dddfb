// The problem: a job file, its journal and its outcomes move together, and a kill may come between
// any two moves. The idea: the job file goes first, so that one which is in the folder is not done;
// what then stands there without its job file belongs to where that went, and a name is only given
// to one file. Limits: files of the folder and of `done` and `bad` are on one file system.
#include "tools/serve/watch/watched_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace ringpost::serve {

namespace {

constexpr Bytes done_folder = "done";
constexpr Bytes bad_folder = "bad";
constexpr Bytes journal_suffix = ".journal";

std::string folder_error(const std::string& path, std::string_view action) {
  return fmt::format("{}: {}: {}", path, action, std::strerror(errno));
}

bool is_something(const std::string& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0;
}

Result<void, std::string> rename_file(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    return Failure(folder_error(from, "move to " + to));
  }
  return {};
}

std::vector<std::string> entries_of(const std::string& path) {
  std::vector<std::string> names;
  DIR* const folder = ::opendir(path.c_str());
  if (folder == nullptr) {
    return names;
  }
  while (const dirent* const entry = ::readdir(folder)) {
    names.emplace_back(entry->d_name);
  }
  ::closedir(folder);
  std::sort(names.begin(), names.end());
  return names;
}

// "x.2.jsonl.gz" of "x.jsonl.gz".
std::string numbered(const std::string& name, unsigned number) {
  const std::size_t end = name.rfind(".jsonl");
  return fmt::format("{}.{}{}", name.substr(0, end), number, name.substr(end));
}

}  // namespace

Result<std::unique_ptr<WatchedFolder>, std::string> WatchedFolder::open(const std::string& path) {
  std::unique_ptr<WatchedFolder> folder(new WatchedFolder(path));
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  folder->lock_.reset(descriptor);
  if (descriptor < 0) {
    return Failure(folder_error(path, "open"));
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return Failure(path + ": another process watches this folder");
  }
  for (const Bytes name : {done_folder, bad_folder}) {
    const std::string within = folder->within(name, {});
    if (::mkdir(within.c_str(), S_IRWXU | S_IRGRP | S_IXGRP) != 0 && errno != EEXIST) {
      return Failure(folder_error(within, "make this folder"));
    }
  }
  if (auto recovered = folder->recover(); !recovered) {
    return Failure(std::move(recovered.error()));
  }
  return folder;
}

std::string WatchedFolder::within(Bytes folder, const std::string& name) const {
  return fmt::format("{}/{}{}{}", path_, folder, name.empty() ? "" : "/", name);
}

bool WatchedFolder::is_job_name(Bytes name) {
  return !name.starts_with('.') &&
         (name.ends_with(".jsonl") || name.ends_with(".jsonl.gz") || name.ends_with(".jsonl.zst"));
}

WatchedFolder::Paths WatchedFolder::paths_of(const std::string& name) const {
  const std::string job = path_ + "/" + name;
  return {job, job + std::string(journal_suffix), job + ".part"};
}

std::vector<std::string> WatchedFolder::job_names(std::size_t count_max) const {
  std::vector<std::string> names = entries_of(path_);
  names.erase(std::remove_if(names.begin(), names.end(),
                             [](const std::string& name) { return !is_job_name(name); }),
              names.end());
  names.resize(std::min(names.size(), count_max));
  return names;
}

Result<std::string, std::string> WatchedFolder::take(const std::string& name) const {
  const auto is_free = [this](const std::string& wanted) {
    return !is_something(within(done_folder, wanted)) && !is_something(within(bad_folder, wanted));
  };
  if (is_something(paths_of(name).journal) || is_free(name)) {
    return name;
  }
  for (unsigned number = 2;; ++number) {
    const std::string other = numbered(name, number);
    if (is_free(other) && !is_something(path_ + "/" + other)) {
      auto renamed = rename_file(paths_of(name).job, paths_of(other).job);
      return renamed ? Result<std::string, std::string>(other) : Failure(renamed.error());
    }
  }
}

Result<void, std::string> WatchedFolder::move(const std::string& name, Bytes destination) const {
  const Paths paths = paths_of(name);
  const std::string to = within(destination, name);
  if (is_something(paths.job)) {
    if (auto moved = rename_file(paths.job, to); !moved) {
      return moved;
    }
  }
  if (is_something(paths.part)) {
    if (auto moved = rename_file(paths.part, to + ".outcomes.jsonl"); !moved) {
      return moved;
    }
  }
  if (destination == bad_folder && is_something(paths.journal)) {
    return rename_file(paths.journal, to + std::string(journal_suffix));
  }
  if (::unlink(paths.journal.c_str()) != 0 && errno != ENOENT) {
    return Failure(folder_error(paths.journal, "remove"));
  }
  return {};
}

Result<void, std::string> WatchedFolder::finish(const std::string& name) const {
  return move(name, done_folder);
}

Result<void, std::string> WatchedFolder::set_aside(const std::string& name, Bytes reason) const {
  const std::string path = within(bad_folder, name) + ".reason";
  cli::Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR | S_IRGRP));
  const std::string line = std::string(reason) + "\n";
  if (file.get() < 0 ||
      ::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return Failure(folder_error(path, "write"));
  }
  return move(name, bad_folder);
}

Result<void, std::string> WatchedFolder::recover() const {
  for (const std::string& entry : entries_of(path_)) {
    if (!Bytes(entry).ends_with(journal_suffix)) {
      continue;
    }
    const std::string name = entry.substr(0, entry.size() - journal_suffix.size());
    if (!is_job_name(name) || is_something(paths_of(name).job)) {
      continue;
    }
    const bool is_bad = is_something(within(bad_folder, name));
    if (!is_bad && !is_something(within(done_folder, name))) {
      continue;  // somebody took the job file away: what is known of it stays
    }
    if (auto moved = move(name, is_bad ? bad_folder : done_folder); !moved) {
      return moved;
    }
  }
  return {};
}

}  // namespace ringpost::serve
