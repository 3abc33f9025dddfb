// The problem: two processes in one journal would write over each other, and a lock file outlives
// its owner. The idea: flock(), which the kernel takes back; /proc/locks says who has it. Limits:
// the name is missing where a file system shows another device there than stat() does; to find out
// that nobody writes, journal_writer() has the lock for a moment, which lock_journal() of another
// process waits out.
#include "queue/journal_lock.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

namespace ringpost::queue {

namespace {

constexpr std::size_t locks_bytes_max = 1u << 20;

std::string read_locks() {
  std::string text;
  const int descriptor = ::open("/proc/locks", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return text;
  }
  char block[4096];
  ssize_t count = 0;
  while (text.size() < locks_bytes_max && (count = ::read(descriptor, block, sizeof block)) > 0) {
    text.append(block, static_cast<std::size_t>(count));
  }
  ::close(descriptor);
  return text;
}

// The process of a line of /proc/locks ("1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF") when it
// is about this file; 0 when it is not.
int holder_in(Bytes line, Bytes device_and_inode) {
  const std::size_t place = line.find(device_and_inode);
  const std::size_t kind = line.find(" WRITE ");
  if (place == Bytes::npos || kind == Bytes::npos || line.find("FLOCK") == Bytes::npos ||
      line.find("->") != Bytes::npos) {
    return 0;
  }
  const Bytes rest = line.substr(kind + std::strlen(" WRITE "));
  int process = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), process);
  return process;
}

std::string name_holder(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) == 0) {
    const std::string wanted = fmt::format(" {:02x}:{:02x}:{} ", major(status.st_dev),
                                           minor(status.st_dev), status.st_ino);
    const std::string locks = read_locks();
    for (std::size_t begin = 0; begin < locks.size();) {
      const std::size_t end = std::min(locks.find('\n', begin), locks.size());
      const int process = holder_in(Bytes(locks).substr(begin, end - begin), wanted);
      if (process > 0) {
        return fmt::format("process {}", process);
      }
      begin = end + 1;
    }
  }
  return "another process";
}

}  // namespace

// A reader that asks for the writer holds a lock for a moment: journal_writer().
Result<void, JournalError> lock_journal(int descriptor, const std::string& path) {
  constexpr int attempts_max = 20;
  constexpr auto pause = std::chrono::milliseconds(10);
  int error_number = EWOULDBLOCK;
  for (int attempt = 0; attempt < attempts_max && error_number == EWOULDBLOCK; ++attempt) {
    if (attempt > 0) {
      std::this_thread::sleep_for(pause);
    }
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
      return {};
    }
    error_number = errno;
  }
  std::string message =
      error_number == EWOULDBLOCK
          ? fmt::format("{}: {} writes this journal now", path, name_holder(descriptor))
          : fmt::format("{}: lock: {}", path, std::strerror(error_number));
  return Failure(JournalError{std::move(message), false, error_number});
}

std::string journal_writer(int descriptor) {
  if (::flock(descriptor, LOCK_SH | LOCK_NB) == 0) {
    ::flock(descriptor, LOCK_UN);
    return {};
  }
  return errno == EWOULDBLOCK ? name_holder(descriptor) : std::string();
}

}  // namespace ringpost::queue
