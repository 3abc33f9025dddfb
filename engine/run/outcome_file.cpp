// Problem: a disk is full for a while, the reader of a pipe sleeps or has gone, and a run that was
// killed has left half a line.
//
// Idea: what could not be written stays in memory, in order, for the next try. A pipe gets no more
// than it has room for, so that all waiting is done in poll(), where a stop is seen. Lines that are
// added to half of one begin on a line of their own.
//
// Limits: what waits here has no bound: whoever adds lines has to stop (FileSink). Who else writes
// the same file is not known.
#include "engine/run/outcome_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "queue/directory_sync.h"
#include "queue/journal_error.h"

namespace ringpost::run {

namespace {

constexpr std::size_t write_bytes_min = 64u << 10;
// What a pipe that says it has room takes without waiting (PIPE_BUF, pipe(7)).
constexpr std::size_t pipe_bytes_at_once = 4096;

// Whether a file of that size ends within a line, as a run leaves it that was killed while it
// wrote.
bool ends_within_line(const std::string& path, off_t bytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return false;
  }
  char last = '\n';
  const ssize_t count = ::pread(descriptor, &last, 1, bytes - 1);
  ::close(descriptor);
  return count == 1 && last != '\n';
}

// Without waiting for the reader of a FIFO. What is open is written to as ever.
int open_to_append(const std::string& path) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK,
             S_IRUSR | S_IWUSR | S_IRGRP);
  if (descriptor >= 0) {
    ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
  }
  return descriptor;
}

bool is_pipe(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

}  // namespace

OutcomeFile::OutcomeFile(std::string path, int descriptor, std::uint64_t bytes_before,
                         int stop_descriptor, const FileCalls& calls)
    : path_(std::move(path)),
      descriptor_(descriptor),
      stop_descriptor_(stop_descriptor),
      calls_(calls),
      bytes_before_(bytes_before) {
  struct stat status {};
  is_file_ = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  lines_.reserve(write_bytes_min * 2);
}

OutcomeFile::OutcomeFile(OutcomeFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      stop_descriptor_(other.stop_descriptor_),
      calls_(other.calls_),
      is_file_(other.is_file_),
      bytes_before_(other.bytes_before_),
      lines_(std::move(other.lines_)) {}

OutcomeFile::~OutcomeFile() {
  if (descriptor_ > STDERR_FILENO) {
    ::close(descriptor_);
  }
}

Result<OutcomeFile, RunTrouble> OutcomeFile::open(const std::string& path, int stop_descriptor,
                                                  const FileCalls& calls) {
  if (path == "-") {
    return OutcomeFile("standard output", STDOUT_FILENO, 0, stop_descriptor, calls);
  }
  const int descriptor = open_to_append(path);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    if (errno == ENXIO && is_pipe(path)) {
      return Failure(RunTrouble{path + ": nobody reads this pipe", false, true});
    }
    return Failure(RunTrouble{path + ": " + std::strerror(errno)});
  }
  OutcomeFile file(path, descriptor, static_cast<std::uint64_t>(status.st_size), stop_descriptor,
                   calls);
  if (file.is_file_ && status.st_size > 0 && ends_within_line(path, status.st_size)) {
    file.lines_ = "\n";  // ours begin on a line of their own
  }
  return file;
}

Result<void, RunTrouble> OutcomeFile::write_if_full() {
  return lines_.size() >= write_bytes_min ? write() : Result<void, RunTrouble>();
}

Result<void, RunTrouble> OutcomeFile::write() {
  std::size_t written = 0;
  while (written < lines_.size()) {
    const auto count = write_some(Bytes(lines_).substr(written));
    if (!count) {
      lines_.erase(0, written);
      const char* const why =
          count.error() == ETIMEDOUT ? "nobody reads it" : std::strerror(count.error());
      // A device that is full stays so: it is /dev/full.
      const bool may_get_room = is_file_ && queue::is_lack_of_room(count.error());
      return Failure(RunTrouble{path_ + ": " + why, false, may_get_room});
    }
    written += *count;
  }
  lines_.clear();
  return {};
}

// The error is an errno.
Result<std::size_t, int> OutcomeFile::write_some(Bytes octets) {
  while (true) {
    if (!is_file_) {
      if (const int error_number = wait_for_reader(); error_number != 0) {
        return Failure(error_number);
      }
      octets = octets.substr(0, pipe_bytes_at_once);
    }
    const ssize_t count = calls_.write(descriptor_, octets.data(), octets.size());
    if (count >= 0) {
      return static_cast<std::size_t>(count);
    }
    if (errno != EINTR && errno != EAGAIN) {
      return Failure(errno);
    }
  }
}

// Until a write would not wait. ETIMEDOUT: nobody waits any longer.
int OutcomeFile::wait_for_reader() const {
  std::array<pollfd, 2> wanted{{{descriptor_, POLLOUT, 0}, {stop_descriptor_, POLLIN, 0}}};
  while (::poll(wanted.data(), wanted.size(), -1) < 0) {
    if (errno != EINTR) {
      return errno;
    }
  }
  return wanted[0].revents == 0 ? ETIMEDOUT : 0;
}

std::uint64_t OutcomeFile::unwritten_lines() const {
  return static_cast<std::uint64_t>(std::count(lines_.begin(), lines_.end(), '\n'));
}

Result<void, RunTrouble> OutcomeFile::sync() {
  if (is_file_ && calls_.fdatasync(descriptor_) != 0) {
    return Failure(RunTrouble{path_ + ": fdatasync: " + std::strerror(errno)});
  }
  if (is_file_ && bytes_before_ == 0) {
    if (const auto synced = queue::sync_directory_of(path_); !synced) {
      return Failure(RunTrouble{synced.error().message});
    }
  }
  return {};
}

}  // namespace ringpost::run
