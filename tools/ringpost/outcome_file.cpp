#include "tools/ringpost/outcome_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ringpost::cli {

namespace {

constexpr std::size_t write_bytes_min = 64u << 10;

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

}  // namespace

OutcomeFile::OutcomeFile(std::string path, int descriptor, std::uint64_t bytes_before)
    : path_(std::move(path)), descriptor_(descriptor), bytes_before_(bytes_before) {
  lines_.reserve(write_bytes_min * 2);
}

OutcomeFile::OutcomeFile(OutcomeFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      bytes_before_(other.bytes_before_),
      lines_(std::move(other.lines_)) {}

OutcomeFile::~OutcomeFile() {
  if (descriptor_ > STDERR_FILENO) {
    ::close(descriptor_);
  }
}

Result<OutcomeFile, OutputError> OutcomeFile::open(const std::string& path) {
  if (path == "-") {
    return OutcomeFile("standard output", STDOUT_FILENO, 0);
  }
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR | S_IRGRP);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    return tl::unexpected(OutputError{path + ": " + std::strerror(errno)});
  }
  OutcomeFile file(path, descriptor, static_cast<std::uint64_t>(status.st_size));
  if (S_ISREG(status.st_mode) && status.st_size > 0 && ends_within_line(path, status.st_size)) {
    file.lines_ = "\n";  // ours begin on a line of their own
  }
  return file;
}

Result<void, OutputError> OutcomeFile::write_if_full() {
  return lines_.size() >= write_bytes_min ? write() : Result<void, OutputError>();
}

Result<void, OutputError> OutcomeFile::write() {
  std::size_t written = 0;
  while (written < lines_.size()) {
    const ssize_t count = ::write(descriptor_, lines_.data() + written, lines_.size() - written);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      pollfd wanted{descriptor_, POLLOUT, 0};
      ::poll(&wanted, 1, -1);
    } else if (errno != EINTR) {
      const int error_number = errno;
      lines_.erase(0, written);
      return tl::unexpected(OutputError{path_ + ": " + std::strerror(error_number)});
    }
  }
  lines_.clear();
  return {};
}

}  // namespace ringpost::cli
