// Problem: a path in a job may lead to a FIFO without a writer, to a device, to a file that
// somebody writes at this moment, or to one that this very run writes.
//
// Idea: it is opened without waiting, and what was opened is looked at, not its name. There is room
// for one octet too many, and the file's state is compared behind the last read, so that a file
// that changes is an error and never a mixture.
//
// Limits: a change that leaves size and time of modification as they were goes unnoticed.
#include "engine/run/job_file_source.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "engine/run/descriptor.h"

namespace ringpost::run {

namespace {

using Checked = Result<void, codec::FileError>;

Failure<codec::FileError> refuse(std::string reason) {
  return Failure(codec::FileError{std::move(reason)});
}

Failure<codec::FileError> refuse_system(int error) {
  return refuse(std::generic_category().message(error));
}

// Fills `content`, and returns how many octets there were; less only at the end of the file.
Result<std::size_t, codec::FileError> fill(int descriptor, std::string& content) {
  std::size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t count = ::read(descriptor, content.data() + filled, content.size() - filled);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return refuse_system(errno);
    }
    if (count == 0) {
      break;
    }
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

bool same_state(const struct stat& before, const struct stat& after) {
  return before.st_size == after.st_size && before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
         before.st_mtim.tv_nsec == after.st_mtim.tv_nsec;
}

}  // namespace

Result<void, codec::FileError> JobFileSource::read(Bytes path, std::size_t bytes_max,
                                                   std::string& content) {
  content.clear();
  std::string name(path);
  if (!base_directory_.empty() && !path.starts_with('/')) {
    name = base_directory_ + "/" + name;
  }
  // Without waiting: a FIFO without a writer would hold the reader for ever. It is refused below.
  const Descriptor file(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.get() < 0) {
    return refuse_system(errno);
  }
  struct stat before {};
  if (fstat(file.get(), &before) != 0) {
    return refuse_system(errno);
  }
  if (!S_ISREG(before.st_mode)) {
    return refuse("it is not a regular file");
  }
  if (std::find(refused_.begin(), refused_.end(), identity_of(before)) != refused_.end()) {
    return refuse("this run writes that file");
  }
  const auto bytes = static_cast<std::size_t>(before.st_size);
  if (bytes > bytes_max) {
    return refuse(fmt::format("it has {} octets, and {} are allowed", bytes, bytes_max));
  }
  // One octet more than there should be, to see a file that grows.
  content.resize(bytes + 1);
  const Result<std::size_t, codec::FileError> filled = fill(file.get(), content);
  if (!filled) {
    return refuse(filled.error().reason);
  }
  struct stat after {};
  if (fstat(file.get(), &after) != 0) {
    return refuse_system(errno);
  }
  if (*filled != bytes || !same_state(before, after)) {
    return refuse("it changed while it was read");
  }
  content.resize(bytes);
  return {};
}

}  // namespace ringpost::run
