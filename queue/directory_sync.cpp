// The problem: fdatasync() on a file says nothing of its name, and after a power cut a new file may
// have none. The idea: the directory is opened for a moment and synced itself. Limits: the
// directory is that of the path as it is written, so the target of a symbolic link is not followed;
// a file system that answers EINVAL has nothing to sync and counts as synced.
#include "queue/directory_sync.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace ringpost::queue {

Result<void, JournalError> sync_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    const int error_number = errno;
    return Failure(
        JournalError{directory + ": open: " + std::strerror(error_number), false, error_number});
  }
  const int result = ::fsync(descriptor);
  const int error_number = errno;
  ::close(descriptor);
  // EINVAL: a file system that has nothing to sync there.
  if (result != 0 && error_number != EINVAL) {
    return Failure(
        JournalError{directory + ": fsync: " + std::strerror(error_number), false, error_number});
  }
  return {};
}

}  // namespace ringpost::queue
