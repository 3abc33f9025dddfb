// The problem: several threads record in one file, which has to be believed afterwards. The idea:
// each thread collects whole lines and appends them in one piece under a lock, to a file that was
// new, empty or a record; after a failure nothing more is appended, and the first failure is kept.
// Limits: the piece that failed may end in the middle of a line, and nothing is forced to the disk.
#include "tools/sink/record.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace ringpost::sink {

namespace {

// Large enough for few writes, small enough to stand still for no more than some 100 us.
constexpr std::size_t flush_behind_bytes = 256u << 10;
// A line with 1000 recipients may be longer than that; such memory is given back.
constexpr std::size_t record_text_bytes_kept_max = 2 * flush_behind_bytes;

std::string error_text(const std::string& what) {
  return fmt::format("{}: {}", what, std::strerror(errno));
}

// Lines are added to records and to empty files, so that a slip of the finger spoils no other. A
// file that cannot be read is another one's matter.
Result<void, std::string> check_is_record(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return {};
  }
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  std::array<char, record_line_begin.size()> head;
  const ssize_t count = descriptor < 0 ? 0 : ::pread(descriptor, head.data(), head.size(), 0);
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  const Bytes begin(head.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (record_line_begin.starts_with(begin)) {
    return {};
  }
  return Failure(
      fmt::format("{}: it holds something else than a record, and no record is added to that; name "
                  "another file, or move this one away",
                  file));
}

}  // namespace

Result<std::unique_ptr<Record>, std::string> Record::open(const std::string& file,
                                                          const std::string& content_folder,
                                                          bool has_digests) {
  int descriptor = -1;
  if (!file.empty()) {
    if (auto checked = check_is_record(file); !checked) {
      return Failure(std::move(checked.error()));
    }
    // O_APPEND: an earlier run's record is evidence too, and lines of several threads stay whole.
    descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor < 0) {
      return Failure(error_text(file));
    }
  }
  std::unique_ptr<Record> record(new Record(descriptor, file, content_folder, has_digests));
  if (!content_folder.empty() && ::mkdir(content_folder.c_str(), 0755) != 0 && errno != EEXIST) {
    return Failure(error_text(content_folder));
  }
  return record;
}

Record::Record(int descriptor, std::string file, std::string content_folder, bool has_digests)
    : descriptor_(descriptor),
      file_(std::move(file)),
      content_folder_(std::move(content_folder)),
      has_digests_(has_digests) {}

Record::~Record() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

void Record::append(Bytes lines) {
  const std::scoped_lock lock(mutex_);
  while (!lines.empty() && failure_.empty()) {
    const ssize_t written = ::write(descriptor_, lines.data(), lines.size());
    if (written >= 0) {
      lines.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      failure_ = error_text(file_);
    }
  }
}

void Record::fail(std::string what) {
  const std::scoped_lock lock(mutex_);
  if (failure_.empty()) {
    failure_ = std::move(what);
  }
}

std::string Record::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

RecordBuffer::RecordBuffer(Record& record) : record_(record) {}

RecordBuffer::~RecordBuffer() { flush(); }

void RecordBuffer::line_added() {
  if (text_.size() >= flush_behind_bytes) {
    flush();
  }
}

void RecordBuffer::flush() {
  if (text_.empty()) {
    return;
  }
  record_.append(text_);
  text_.clear();
  if (text_.capacity() > record_text_bytes_kept_max) {
    text_.shrink_to_fit();
  }
}

}  // namespace ringpost::sink
