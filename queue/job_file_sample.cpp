// The problem: a resume with another job file, or a changed one, would send lines that nobody
// meant, and comparing all of its octets would mean reading it twice. The idea: the size and a few
// samples are compared before anything is read; both are of one open file, by the size it had at
// first. Limits: the hash is not made against somebody who looks for collisions; whatever can be
// read only once is the same as whatever else can.
#include "queue/job_file_sample.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "codec/journal/line_hash.h"

namespace ringpost::queue {

namespace {

constexpr std::uint64_t part_bytes = 64u << 10;

// Appends up to `count` octets at the offset. False, with errno: they cannot be read.
bool append_part(int descriptor, std::uint64_t offset, std::uint64_t count, std::string& out) {
  const std::size_t begin = out.size();
  out.resize(begin + count);
  std::size_t filled = begin;
  while (filled < out.size()) {
    const ssize_t got = ::pread(descriptor, out.data() + filled, out.size() - filled,
                                static_cast<off_t>(offset + filled - begin));
    if (got < 0 && errno != EINTR) {
      return false;
    }
    if (got == 0) {
      break;
    }
    filled += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  out.resize(filled);
  return true;
}

bool read_sample(int descriptor, std::uint64_t size_bytes, std::string& out) {
  if (size_bytes <= 3 * part_bytes) {
    return append_part(descriptor, 0, size_bytes, out);
  }
  return append_part(descriptor, 0, part_bytes, out) &&
         append_part(descriptor, (size_bytes - part_bytes) / 2, part_bytes, out) &&
         append_part(descriptor, size_bytes - part_bytes, part_bytes, out);
}

Result<codec::JournalFile, JournalError> sample_open_file(int descriptor, const std::string& path,
                                                          codec::LineHashKind hash) {
  struct stat status {};
  std::string octets;
  codec::JournalFile file{path, job_file_size_unknown, 0};
  bool is_read = ::fstat(descriptor, &status) == 0;
  if (is_read && S_ISREG(status.st_mode)) {
    file.size_bytes = static_cast<std::uint64_t>(status.st_size);
    is_read = read_sample(descriptor, file.size_bytes, octets);
    file.sample = codec::hash_line(octets, hash).high;
  }
  if (!is_read) {
    const int error_number = errno;
    return Failure(JournalError{fmt::format("{}: {}", path, std::strerror(error_number)), false,
                                error_number});
  }
  return file;
}

}  // namespace

Result<codec::JournalFile, JournalError> sample_job_file(const std::string& path,
                                                         codec::LineHashKind hash) {
  if (path == "-") {
    return codec::JournalFile{path, job_file_size_unknown, 0};
  }
  // A pipe is not opened: whoever waits to write into it would find a reader who goes away again.
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode)) {
    return codec::JournalFile{path, job_file_size_unknown, 0};
  }
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    const int error_number = errno;
    return Failure(JournalError{fmt::format("{}: {}", path, std::strerror(error_number)), false,
                                error_number});
  }
  auto file = sample_open_file(descriptor, path, hash);
  ::close(descriptor);
  return file;
}

std::optional<std::string> job_files_difference(std::span<const codec::JournalFile> then,
                                                std::span<const codec::JournalFile> now) {
  for (std::size_t index = 0; index < std::min(then.size(), now.size()); ++index) {
    const codec::JournalFile& before = then[index];
    const codec::JournalFile& after = now[index];
    const bool has_grown = before.size_bytes == job_file_size_unknown &&
                           before.sample == job_file_grows &&
                           after.size_bytes != job_file_size_unknown;
    if (has_grown) {
      continue;
    }
    if (before.size_bytes == job_file_size_unknown || after.size_bytes == job_file_size_unknown) {
      if (before.size_bytes != after.size_bytes || before.sample != after.sample) {
        return fmt::format("{}: the journal has {} in this place", after.path, before.path);
      }
    } else if (before.size_bytes != after.size_bytes) {
      return fmt::format("{}: it has {} octets, and {} when the journal was begun", after.path,
                         after.size_bytes, before.size_bytes);
    } else if (before.sample != after.sample) {
      return fmt::format("{}: it has changed since the journal was begun", after.path);
    }
  }
  if (now.size() < then.size()) {
    return fmt::format("{}: the journal has it, too, and it was not named", then[now.size()].path);
  }
  if (now.size() > then.size()) {
    return fmt::format("{}: the journal does not have it", now[then.size()].path);
  }
  return std::nullopt;
}

}  // namespace ringpost::queue
