// The problem: whoever hears 250 forgets the message, so it has to be on the disk, whole, and what
// nobody was answered for must not come back from there. The idea: a batch of lines is one write
// behind the known end and one fdatasync; what fails is cut off again. Limits: where the disk
// cannot even cut, or has failed to sync, the file takes no more, and lines that nobody was told of
// may come to light at the next start: they are then sent, as those are whose client was gone
// before it heard the answer.
#include "tools/serve/spool/spool_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "queue/directory_sync.h"

namespace ringpost::serve {

using queue::JournalError;

namespace {

constexpr std::size_t block_bytes_usual = 256u << 10;

JournalError error_at(const std::string& path, const char* action, int error_number) {
  return {fmt::format("{}: {}{}", path, action, std::strerror(error_number)),
          queue::is_lack_of_room(error_number), error_number};
}

// As many octets as there are; fewer only where the file ends. False, with errno.
bool read_at(int descriptor, char* into, std::size_t count, std::uint64_t offset) {
  std::size_t filled = 0;
  while (filled < count) {
    const ssize_t got =
        ::pread(descriptor, into + filled, count - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      errno = got == 0 ? EIO : errno;
      return false;
    }
    filled += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

// ---- Writing ------------------------------------------------------------------------------------

SpoolFile::SpoolFile(std::string path, int descriptor, const queue::JournalCalls& calls)
    : path_(std::move(path)), descriptor_(descriptor), calls_(calls) {}

SpoolFile::~SpoolFile() { ::close(descriptor_); }

Result<std::unique_ptr<SpoolFile>, JournalError> SpoolFile::create(
    const std::string& path, const queue::JournalCalls& calls) {
  const int descriptor =
      ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) {
    return Failure(error_at(path, "", errno));
  }
  std::unique_ptr<SpoolFile> file(new SpoolFile(path, descriptor, calls));
  if (auto synced = queue::sync_directory_of(path); !synced) {
    ::unlink(path.c_str());
    return Failure(std::move(synced.error()));
  }
  return file;
}

Result<std::unique_ptr<SpoolFile>, JournalError> SpoolFile::open(const std::string& path,
                                                                 const queue::JournalCalls& calls) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) {
    return Failure(error_at(path, "", errno));
  }
  std::unique_ptr<SpoolFile> file(new SpoolFile(path, descriptor, calls));
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    return Failure(JournalError{path + ": a segment is an ordinary file, and this is none"});
  }
  file->bytes_.store(static_cast<std::uint64_t>(status.st_size));
  if (auto cut = file->cut_torn_line(); !cut) {
    return Failure(std::move(cut.error()));
  }
  return file;
}

Result<void, JournalError> SpoolFile::cut_torn_line() {
  const std::uint64_t bytes = bytes_.load();
  std::vector<char> block(block_bytes_usual);
  std::uint64_t end = bytes;  // of what is searched
  std::uint64_t whole = 0;
  while (end > 0 && whole == 0) {
    const std::uint64_t begin = end - std::min<std::uint64_t>(end, block.size());
    const auto count = static_cast<std::size_t>(end - begin);
    if (!read_at(descriptor_, block.data(), count, begin)) {
      return Failure(error_of("read: ", errno));
    }
    const std::size_t newline = Bytes(block.data(), count).rfind('\n');
    whole = newline == Bytes::npos ? 0 : begin + newline + 1;
    end = begin;
  }
  if (whole == bytes) {
    return {};
  }
  if (calls_.ftruncate(descriptor_, static_cast<off_t>(whole)) != 0 ||
      calls_.fdatasync(descriptor_) != 0) {
    return Failure(error_of("cut its torn end: ", errno));
  }
  cut_bytes_ = bytes - whole;
  bytes_.store(whole);
  return {};
}

JournalError SpoolFile::error_of(const char* action, int error_number) const {
  return error_at(path_, action, error_number);
}

// What was written and is not on the disk for sure.
JournalError SpoolFile::take_back(const char* action, int error_number, bool is_final) {
  JournalError error = error_of(action, error_number);
  const bool is_cut = calls_.ftruncate(descriptor_, static_cast<off_t>(bytes_.load())) == 0;
  if (is_final || !is_cut || !error.may_be_tried_again) {
    error.may_be_tried_again = false;
    is_broken_.store(true);
  }
  return error;
}

Result<void, JournalError> SpoolFile::append(Bytes lines) {
  if (is_broken_.load()) {
    return Failure(JournalError{path_ + ": it takes no more since its disk has failed"});
  }
  const std::uint64_t end = bytes_.load();
  std::size_t done = 0;
  while (done < lines.size()) {
    const ssize_t count = calls_.pwrite(descriptor_, lines.data() + done, lines.size() - done,
                                        static_cast<off_t>(end + done));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return Failure(take_back("write: ", count == 0 ? EIO : errno, false));
    }
    done += static_cast<std::size_t>(count);
  }
  if (calls_.fdatasync(descriptor_) != 0) {
    // The kernel forgets what it could not write: the next call may succeed and mean nothing.
    return Failure(take_back("fdatasync: ", errno, true));
  }
  bytes_.store(end + lines.size());
  return {};
}

// ---- Reading ------------------------------------------------------------------------------------

Result<bool, JournalError> SpoolLines::next(Bytes& line) {
  const std::uint64_t end = file_.bytes();
  if (offset_ == end) {
    return false;
  }
  while (true) {
    const Bytes rest(block_.data() + begin_, filled_ - begin_);
    const std::size_t newline = rest.find('\n');
    if (newline != Bytes::npos) {
      line = rest.substr(0, newline);
      begin_ += newline + 1;
      offset_ += newline + 1;
      ++next_index_;
      return true;
    }
    if (offset_ + rest.size() == end) {
      return Failure(JournalError{file_.path() + ": its last line has no end"});
    }
    if (auto read = read_more(end); !read) {
      return Failure(std::move(read.error()));
    }
  }
}

// Behind what is there, in a block that is as long as the line has to be.
Result<void, JournalError> SpoolLines::read_more(std::uint64_t end) {
  const std::size_t kept = filled_ - begin_;
  if (kept > 0) {
    std::memmove(block_.data(), block_.data() + begin_, kept);
  }
  begin_ = 0;
  filled_ = kept;
  block_.resize(std::max(block_bytes_usual, 2 * kept) + padding_bytes);
  const std::uint64_t from = offset_ + kept;
  const auto count = static_cast<std::size_t>(
      std::min<std::uint64_t>(block_.size() - padding_bytes - kept, end - from));
  if (!read_at(file_.descriptor_, block_.data() + kept, count, from)) {
    return Failure(file_.error_of("read: ", errno));
  }
  filled_ += count;
  return {};
}

void SpoolLines::rest() {
  block_ = {};
  filled_ = 0;
  begin_ = 0;
}

}  // namespace ringpost::serve
