// The problem: two servers with one spool would send everything twice, and mail is nobody's to read
// but its owner's. The idea: a lock file, which the kernel takes back, and permissions that are
// looked at before anything is written. Limits: whatever else stands in the folder is left alone.
#include "tools/serve/spool/spool_folder.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "queue/directory_sync.h"
#include "queue/journal_lock.h"
#include "tools/serve/spool/spool_segment.h"

namespace ringpost::serve {

namespace {

constexpr Bytes jobs_ending = ".jsonl";
constexpr Bytes journal_ending = ".journal";
constexpr std::size_t number_digits = 10;

std::string system_sentence(const std::string& path, const char* action) {
  return fmt::format("spool {}: {}{}", path, action, std::strerror(errno));
}

// 0: it is none.
std::uint32_t number_of(Bytes name, Bytes ending) {
  std::uint32_t number = 0;
  if (name.size() != number_digits + ending.size() || !name.ends_with(ending)) {
    return 0;
  }
  const char* const end = name.data() + number_digits;
  const auto parsed = std::from_chars(name.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? number : 0;
}

Result<void, std::string> make_folder(const std::string& path) {
  struct stat status {};
  if (::mkdir(path.c_str(), S_IRWXU) == 0) {
    if (auto synced = queue::sync_directory_of(path); !synced) {
      return Failure("spool " + synced.error().message);
    }
    return {};
  }
  if (errno != EEXIST || ::stat(path.c_str(), &status) != 0) {
    return Failure(system_sentence(path, "make the folder: "));
  }
  if (!S_ISDIR(status.st_mode)) {
    return Failure(fmt::format("spool {}: it is no folder", path));
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Failure(fmt::format(
        "spool {}: other users may look into it, and mail is in there; chmod 700 it", path));
  }
  return {};
}

}  // namespace

SpoolFolder::SpoolFolder(std::string path, int lock_descriptor)
    : path_(std::move(path)), lock_descriptor_(lock_descriptor) {}

SpoolFolder::SpoolFolder(SpoolFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_descriptor_(std::exchange(other.lock_descriptor_, -1)) {}

SpoolFolder::~SpoolFolder() {
  if (lock_descriptor_ >= 0) {
    ::close(lock_descriptor_);
  }
}

Result<SpoolFolder, std::string> SpoolFolder::open(const std::string& path) {
  if (auto made = make_folder(path); !made) {
    return Failure(std::move(made.error()));
  }
  const std::string lock_path = path + "/lock";
  const int descriptor = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) {
    return Failure(system_sentence(lock_path, ""));
  }
  SpoolFolder folder(path, descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const std::string who = errno == EWOULDBLOCK ? queue::journal_writer(descriptor) : "";
    return Failure(who.empty() ? system_sentence(lock_path, "lock: ")
                               : fmt::format("spool {}: {} has it; each server needs a spool of "
                                             "its own",
                                             path, who));
  }
  return folder;
}

Result<std::vector<std::uint32_t>, std::string> SpoolFolder::segments() const {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path_.c_str()), ::closedir);
  if (directory == nullptr) {
    return Failure(system_sentence(path_, ""));
  }
  std::vector<std::uint32_t> jobs;
  std::vector<std::uint32_t> journals;
  while (const dirent* const member = ::readdir(directory.get())) {
    if (const std::uint32_t number = number_of(member->d_name, jobs_ending); number != 0) {
      jobs.push_back(number);
    }
    if (const std::uint32_t number = number_of(member->d_name, journal_ending); number != 0) {
      journals.push_back(number);
    }
  }
  std::sort(jobs.begin(), jobs.end());
  for (const std::uint32_t number : journals) {
    if (!std::binary_search(jobs.begin(), jobs.end(), number)) {
      ::unlink(segment_paths(path_, number).journal.c_str());
    }
  }
  return jobs;
}

}  // namespace ringpost::serve
