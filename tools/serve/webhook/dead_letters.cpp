// The problem: one process adds lines to a file while another one takes them out, either may be
// killed, and no line may be lost on the way. The idea: whoever adds locks the file and looks
// whether it still has its name; whoever takes renames it first and locks it then, so that it is
// complete when the lock is had. Limits: lines are handed to the kernel, so a power cut may take
// the last of them.
#include "tools/serve/webhook/dead_letters.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace ringpost::serve {

namespace {

using cli::Descriptor;

std::string file_error(const std::string& path, std::string_view action) {
  return fmt::format("{}: {}: {}", path, action, std::strerror(errno));
}

bool has_this_name(int descriptor, const std::string& path) {
  struct stat here {};
  struct stat there {};
  return ::fstat(descriptor, &here) == 0 && ::stat(path.c_str(), &there) == 0 &&
         here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

bool lock_file(int descriptor, int how) {
  int locked = 0;
  do {
    locked = ::flock(descriptor, how);
  } while (locked != 0 && errno == EINTR);
  return locked == 0;
}

// The file of that name, locked.
Result<void, std::string> open_locked(const std::string& path, Descriptor& file) {
  do {
    file.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK,
                      S_IRUSR | S_IWUSR));
    struct stat facts {};
    if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) {
      return Failure(file_error(path, "open"));
    }
    if (!S_ISREG(facts.st_mode)) {
      return Failure(path + ": it is no regular file, so nothing could be sent again from it");
    }
    if (!lock_file(file.get(), LOCK_EX)) {
      return Failure(file_error(path, "lock"));
    }
  } while (!has_this_name(file.get(), path));
  return {};
}

// Behind a line that a crash has torn.
bool ends_within_line(int descriptor, off_t size) {
  char last = '\n';
  return size > 0 && ::pread(descriptor, &last, 1, size - 1) == 1 && last != '\n';
}

bool write_whole(int descriptor, Bytes octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(descriptor, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<void, std::string> append_dead_letters(const std::string& path, Bytes lines) {
  Descriptor file;
  if (auto opened = open_locked(path, file); !opened) {
    return opened;
  }
  const off_t before = ::lseek(file.get(), 0, SEEK_END);
  const bool is_torn = before > 0 && ends_within_line(file.get(), before);
  if (before < 0 || (is_torn && !write_whole(file.get(), "\n")) ||
      !write_whole(file.get(), lines)) {
    std::string error = file_error(path, "write");
    if (before >= 0 && ::ftruncate(file.get(), before) != 0) {
      error += "; a part of a line may stand at its end";
    }
    return Failure(std::move(error));
  }
  return {};
}

Result<std::unique_ptr<TakenLetters>, std::string> TakenLetters::take(const std::string& path) {
  const std::string taken = path + ".sending";
  struct stat facts {};
  const bool is_left = ::stat(taken.c_str(), &facts) == 0;  // by one that was ended before done()
  if (!is_left) {
    if (::stat(path.c_str(), &facts) != 0) {
      return errno == ENOENT ? Result<std::unique_ptr<TakenLetters>, std::string>(nullptr)
                             : Failure(file_error(path, "look"));
    }
    if (facts.st_size == 0) {
      return std::unique_ptr<TakenLetters>();
    }
    // Never over one that somebody else has taken meanwhile.
    if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, taken.c_str(), RENAME_NOREPLACE) != 0) {
      return Failure(file_error(path, "move to " + taken));
    }
  }
  std::unique_ptr<TakenLetters> letters(new TakenLetters(taken));
  const int file = ::open(taken.c_str(), O_RDWR | O_CLOEXEC);
  letters->descriptor_.reset(file);
  if (file < 0) {
    return Failure(file_error(taken, "open"));
  }
  // First for nobody else who sends these, then for whoever is still adding to it.
  if (!lock_file(file, is_left ? LOCK_EX | LOCK_NB : LOCK_EX) || !has_this_name(file, taken)) {
    return Failure(taken + ": another process is sending these just now");
  }
  letters->were_left_ = is_left;
  return letters;
}

Result<void, std::string> TakenLetters::done() {
  if (::unlink(path_.c_str()) != 0) {
    return Failure(file_error(path_, "remove"));
  }
  return {};
}

}  // namespace ringpost::serve
