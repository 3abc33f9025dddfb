// The problem: limits of an hour or a day outlive a run, and two processes that send for one
// account have one limit between them. The idea: each process has the logs in its own memory, and
// the file has a number for each of them that changes with it. Whoever takes the file's lock reads
// what others have changed, and before letting go writes what it has changed; the kernel takes the
// lock back from whoever is killed, and an odd number tells that he was writing. Nothing is mapped:
// a file that somebody truncates or spoils while it is used is written anew from memory.
//
// Times are those of the monotonic clock, which no correction of the wall clock moves; the file
// knows the boot they belong to and how far the wall clock was from it, and is moved over when the
// next boot opens it. What would be in the future then counts as now: the limit holds, at the price
// of one window. What is damaged counts as used rather than as free, for the same reason.
//
// Who is alone with the file may make it new or move it: an exclusive flock() says so, and
// everybody keeps a shared one. Limits: machines of another architecture see another layout and are
// told so; whoever stops a process (SIGSTOP) in the microseconds of its lock stops the others too.
#include "queue/quota_file.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "codec/journal/line_hash.h"

namespace ringpost::queue {

namespace {

constexpr std::uint64_t magic = 0x31'51'54'53'50'52'0a'00;  // "RPSTQ1", and what text never has
constexpr std::uint32_t version = 1;
constexpr std::size_t boot_id_bytes = 40;
constexpr int look_max = 200;
constexpr auto look_again = std::chrono::milliseconds(10);
constexpr int set_aside_max = 9;

// Of an object without padding.
template <typename T>
std::uint64_t sum_of(const T& object) {
  return codec::hash_line({reinterpret_cast<const char*>(&object), sizeof object}).low;
}

std::string error_text(const std::string& path, const char* what, int error_number) {
  return fmt::format("{}: {}: {}", path, what, std::strerror(error_number));
}

struct Descriptor {
  int number = -1;
  Descriptor() = default;
  explicit Descriptor(int opened) : number(opened) {}
  Descriptor(Descriptor&& other) noexcept : number(std::exchange(other.number, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number, other.number);
    return *this;
  }
  ~Descriptor() {
    if (number >= 0) {
      ::close(number);
    }
  }
};

// How far the wall clock is from the monotonic one, and when.
struct Epoch {
  std::array<char, boot_id_bytes> boot_id{};
  std::int64_t unix_minus_monotonic_ns = 0;
};

Epoch epoch_of(const QuotaClocks& clocks) {
  Epoch epoch;
  std::copy_n(clocks.boot_id.begin(), std::min(clocks.boot_id.size(), boot_id_bytes - 1),
              epoch.boot_id.begin());
  epoch.unix_minus_monotonic_ns = clocks.unix_ns - clocks.now.time_since_epoch().count();
  return epoch;
}

struct Head {
  std::uint64_t magic = 0;
  std::uint32_t version = 0;
  // The size of what the compiler made of the file.
  std::uint32_t layout_bytes = 0;
  // Of each log. Odd: it is being written, or its writer was killed.
  std::array<std::uint64_t, quota_logs> generations{};
  Epoch epoch;
  std::uint64_t epoch_check = 0;
  LearntLimits learnt;
  std::uint64_t learnt_check = 0;
};

constexpr std::size_t file_bytes = sizeof(Head) + sizeof(QuotaLogs);
constexpr std::size_t log_offset(std::size_t index) {
  return sizeof(Head) + index * sizeof(QuotaLog);
}

bool is_being_written(std::uint64_t generation) { return generation % 2 == 1; }

// How many octets there were; fewer than asked for at the end of the file, or where it cannot be
// read.
std::size_t read_at(int descriptor, void* into, std::size_t count, std::size_t offset) {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t step = ::pread(descriptor, static_cast<char*>(into) + done, count - done,
                                 static_cast<off_t>(offset + done));
    if (step < 0 && errno == EINTR) {
      continue;
    }
    if (step <= 0) {
      break;
    }
    done += static_cast<std::size_t>(step);
  }
  return done;
}

std::size_t size_of_file(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
}

bool stands_at(int descriptor, const std::string& path) {
  struct stat here {};
  struct stat there {};
  return ::fstat(descriptor, &here) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

std::string foreign_reason(const Head& head) {
  if (head.magic != magic) {
    return "it is no state file";
  }
  if (head.version != version) {
    return fmt::format("it is of version {} and not {}", head.version, version);
  }
  if (head.layout_bytes != file_bytes) {
    return "it is of another architecture";
  }
  return {};
}

}  // namespace

struct QuotaFile::Content {
  Head head;
  QuotaLogs logs{};
  QuotaLogs before{};  // of those that are used, as they stand in the file
};

QuotaClocks read_quota_clocks() {
  QuotaClocks clocks;
  clocks.now = std::chrono::steady_clock::now();
  clocks.unix_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  const Descriptor file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[boot_id_bytes];
  const ssize_t count = file.number < 0 ? 0 : ::read(file.number, text, sizeof text);
  clocks.boot_id.assign(text, count > 0 ? static_cast<std::size_t>(count) : 0);
  while (!clocks.boot_id.empty() && clocks.boot_id.back() == '\n') {
    clocks.boot_id.pop_back();
  }
  return clocks;
}

// One attempt to open the file; the members are what is known so far.
class QuotaFileOpening {
 public:
  QuotaFileOpening(const std::string& path, const QuotaClocks& clocks)
      : path_(path), clocks_(clocks) {}

  Result<QuotaFile::Opened, std::string> run();

 private:
  // False: once more.
  Result<bool, std::string> open_once();
  Result<void, std::string> open_descriptor();
  Result<void, std::string> share();
  [[nodiscard]] bool is_in_its_place() const { return stands_at(descriptor_.number, path_); }
  void read_content();
  Result<bool, std::string> begin_alone();
  [[nodiscard]] std::string damage(std::size_t size) const;
  Result<bool, std::string> join();
  Result<void, std::string> make_room();
  Result<bool, std::string> set_aside(const std::string& reason, bool takes_over);
  void make_new();
  void move_to_this_boot();
  void hand_over();

  const std::string& path_;
  const QuotaClocks& clocks_;
  Descriptor descriptor_;
  std::unique_ptr<QuotaFile::Content> content_;
  std::unique_ptr<QuotaFile> file_;
  std::string notice_;
  // What one that was set aside had.
  std::unique_ptr<QuotaFile::Content> saved_;
};

Result<QuotaFile::Opened, std::string> QuotaFileOpening::run() {
  // A file that was set aside by another process in between, or by this one, is opened anew.
  for (int attempt = 0; attempt < 5; ++attempt) {
    Result<bool, std::string> ready = open_once();
    if (!ready) {
      return Failure(std::move(ready.error()));
    }
    if (*ready) {
      return QuotaFile::Opened{std::move(file_), notice_};
    }
  }
  return Failure(path_ + ": somebody else puts other files in its place again and again");
}

Result<bool, std::string> QuotaFileOpening::open_once() {
  file_.reset();
  content_ = std::make_unique<QuotaFile::Content>();
  if (auto opened = open_descriptor(); !opened) {
    return Failure(std::move(opened.error()));
  }
  const bool alone = ::flock(descriptor_.number, LOCK_EX | LOCK_NB) == 0;
  if (!alone) {
    if (auto shared = share(); !shared) {
      return Failure(std::move(shared.error()));
    }
  }
  if (!is_in_its_place()) {
    return false;
  }
  Result<bool, std::string> ready = alone ? begin_alone() : join();
  if (ready && *ready && alone && ::flock(file_->descriptor_, LOCK_SH) != 0) {
    return Failure(error_text(path_, "lock", errno));
  }
  return ready;
}

Result<void, std::string> QuotaFileOpening::open_descriptor() {
  descriptor_ = Descriptor(
      ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (descriptor_.number < 0) {
    return Failure(error_text(path_, "open", errno));
  }
  struct stat status {};
  if (::fstat(descriptor_.number, &status) != 0) {
    return Failure(error_text(path_, "stat", errno));
  }
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid()) {
    return Failure(path_ + ": is no file of this user");
  }
  constexpr mode_t others = S_IRWXG | S_IRWXO;
  if ((status.st_mode & others) != 0 && ::fchmod(descriptor_.number, S_IRUSR | S_IWUSR) != 0) {
    return Failure(error_text(path_, "change its mode", errno));
  }
  return {};
}

// Whoever is alone with the file holds it for milliseconds.
Result<void, std::string> QuotaFileOpening::share() {
  for (int look = 0; look < look_max; ++look) {
    if (::flock(descriptor_.number, LOCK_SH | LOCK_NB) == 0) {
      return {};
    }
    if (errno != EWOULDBLOCK && errno != EINTR) {
      break;
    }
    std::this_thread::sleep_for(look_again);
  }
  return Failure(error_text(path_, "lock", errno));
}

void QuotaFileOpening::read_content() {
  read_at(descriptor_.number, &content_->head, sizeof(Head), 0);
  read_at(descriptor_.number, content_->logs.data(), sizeof(QuotaLogs), sizeof(Head));
}

// The octets from here on are those of the QuotaFile.
void QuotaFileOpening::hand_over() {
  file_.reset(new QuotaFile(path_, std::exchange(descriptor_.number, -1), std::move(content_)));
}

Result<bool, std::string> QuotaFileOpening::begin_alone() {
  const std::size_t size = size_of_file(descriptor_.number);
  read_content();
  const QuotaLogs& logs = content_->logs;
  const bool is_blank =
      content_->head.magic == 0 && std::all_of(logs.begin(), logs.end(), [](const QuotaLog& log) {
        return log.units == 0 && log.check == 0 && is_sound(log);
      });
  // New, or its maker was killed before it was whole.
  const bool is_new = size == 0 || (size == file_bytes && is_blank && content_->head.version == 0);
  if (const std::string reason = is_new ? "" : damage(size); !reason.empty()) {
    const Head& head = content_->head;
    const int signs = (head.magic == magic ? 1 : 0) + (head.version == version ? 1 : 0) +
                      (head.layout_bytes == file_bytes ? 1 : 0);
    return set_aside(reason, signs >= 2 && (head.magic != magic || foreign_reason(head).empty()));
  }
  if (auto room = make_room(); !room) {
    return Failure(std::move(room.error()));
  }
  if (is_new) {
    make_new();
  }
  move_to_this_boot();
  hand_over();
  file_->write_all();
  if (!file_->trouble_.empty()) {
    return Failure(file_->trouble_);
  }
  return true;
}

// What is wrong with it; empty: nothing.
std::string QuotaFileOpening::damage(std::size_t size) const {
  if (size != file_bytes) {
    return fmt::format("it has {} octets and not {}", size, file_bytes);
  }
  const Head& head = content_->head;
  if (std::string reason = foreign_reason(head); !reason.empty()) {
    return reason;
  }
  bool is_whole =
      head.epoch_check == sum_of(head.epoch) && head.learnt_check == sum_of(head.learnt);
  for (std::size_t i = 0; i < quota_logs; ++i) {
    if (is_being_written(head.generations[i])) {
      mend(content_->logs[i], clocks_.now.time_since_epoch().count());
    }
    is_whole = is_whole && is_sound(content_->logs[i]);
  }
  return is_whole ? "" : "its checksums are wrong";
}

// Beside others, who have it whole in memory.
Result<bool, std::string> QuotaFileOpening::join() {
  hand_over();
  file_->lock_file();
  const std::size_t size = size_of_file(file_->descriptor_);
  Head head;
  read_at(file_->descriptor_, &head, sizeof head, 0);
  const std::string reason = foreign_reason(head);
  file_->unlock_file();
  if (size != file_bytes || !reason.empty()) {
    return Failure(fmt::format("{}: somebody else uses it now, and {}", path_,
                               reason.empty() ? "it has another size" : reason));
  }
  file_->content_->head = head;
  file_->content_->head.generations.fill(UINT64_MAX);  // as nobody has them
  { const std::lock_guard lock(*file_); }
  if (!file_->trouble_.empty()) {
    notice_ = std::exchange(file_->trouble_, {});
  }
  return true;
}

// A full disk is found out now.
Result<void, std::string> QuotaFileOpening::make_room() {
  const int failure = ::posix_fallocate(descriptor_.number, 0, file_bytes);
  if (failure != 0) {
    return Failure(error_text(path_, "make room", failure));
  }
  return {};
}

void QuotaFileOpening::make_new() {
  *content_ = QuotaFile::Content();
  Head& head = content_->head;
  head.magic = magic;
  head.version = version;
  head.layout_bytes = file_bytes;
  head.epoch = epoch_of(clocks_);
  if (saved_ != nullptr) {
    content_->logs = saved_->logs;
    for (QuotaLog& log : content_->logs) {
      if (!is_sound(log)) {
        mend(log, INT64_MAX);  // now, as soon as it is moved
      }
    }
    if (saved_->head.epoch_check == sum_of(saved_->head.epoch)) {
      head.epoch = saved_->head.epoch;
    }
    if (saved_->head.learnt_check == sum_of(saved_->head.learnt)) {
      head.learnt = saved_->head.learnt;
    }
  }
  head.learnt_check = sum_of(head.learnt);
}

// Under the first name that is free, so that the first damage is still there behind the second.
Result<bool, std::string> QuotaFileOpening::set_aside(const std::string& reason, bool takes_over) {
  std::string aside;
  bool is_moved = false;
  for (int number = 1; !is_moved; ++number) {
    aside = path_ + ".damaged" + (number == 1 ? "" : fmt::format("-{}", number));
    const unsigned flags = number < set_aside_max ? RENAME_NOREPLACE : 0;
    is_moved = ::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, aside.c_str(), flags) == 0;
    if (!is_moved && (errno != EEXIST || number == set_aside_max)) {
      return Failure(error_text(path_, "set it aside", errno));
    }
  }
  if (takes_over) {
    saved_ = std::move(content_);
  }
  notice_ = fmt::format("{}: {}: set aside as {}; {}", path_, reason, aside,
                        takes_over ? "its counts go on as they stand there, and what is uncertain "
                                     "counts as used"
                                   : "its counts begin anew");
  return false;
}

// Alone with the file: nobody waits for an answer, and times are those of this boot.
void QuotaFileOpening::move_to_this_boot() {
  Head& head = content_->head;
  const Epoch now = epoch_of(clocks_);
  const bool same_boot = head.epoch.boot_id == now.boot_id;
  const std::int64_t shift_ns =
      same_boot ? 0 : head.epoch.unix_minus_monotonic_ns - now.unix_minus_monotonic_ns;
  for (QuotaLog& log : content_->logs) {
    move_times(log, shift_ns, clocks_.now.time_since_epoch().count());
    forget_unanswered(log);
  }
  head.epoch = now;
  head.epoch_check = sum_of(head.epoch);
}

Result<QuotaFile::Opened, std::string> QuotaFile::open(const std::string& path,
                                                       const QuotaClocks& clocks) {
  return QuotaFileOpening(path, clocks).run();
}

QuotaFile::QuotaFile(std::string path, int descriptor, std::unique_ptr<Content> content)
    : path_(std::move(path)), descriptor_(descriptor), content_(std::move(content)) {}

QuotaFile::~QuotaFile() { ::close(descriptor_); }

void QuotaFile::lock() {
  mutex_.lock();
  lock_file();
  read_changes();
  is_used_.fill(false);
}

void QuotaFile::unlock() {
  for (std::size_t i = 0; i < quota_logs; ++i) {
    if (is_used_[i] &&
        std::memcmp(&content_->logs[i], &content_->before[i], sizeof(QuotaLog)) != 0) {
      write_log(i);
    }
  }
  unlock_file();
  mutex_.unlock();
}

// Of this open file, so that no other descriptor of the process that is closed takes it away.
void QuotaFile::lock_file() {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  while (::fcntl(descriptor_, F_OFD_SETLKW, &whole) != 0) {
    if (errno != EINTR) {
      trouble_ = error_text(path_, "lock", errno);
      return;
    }
  }
}

void QuotaFile::unlock_file() {
  struct flock whole {};
  whole.l_type = F_UNLCK;
  whole.l_whence = SEEK_SET;
  ::fcntl(descriptor_, F_OFD_SETLK, &whole);
}

// What others have written since. What cannot be theirs is written over with what is known here.
void QuotaFile::read_changes() {
  Head head;
  if (read_at(descriptor_, &head, sizeof head, 0) < sizeof head ||
      size_of_file(descriptor_) != file_bytes || !foreign_reason(head).empty()) {
    trouble_ = path_ + ": somebody has changed it; it is written anew from what this run knows";
    write_all();
    return;
  }
  Head& own = content_->head;
  if (head.epoch_check == sum_of(head.epoch)) {
    own.epoch = head.epoch;
    own.epoch_check = head.epoch_check;
  }
  if (head.learnt_check == sum_of(head.learnt)) {
    own.learnt = head.learnt;
    own.learnt_check = head.learnt_check;
  }
  for (std::size_t i = 0; i < quota_logs; ++i) {
    if (head.generations[i] == own.generations[i]) {
      continue;
    }
    QuotaLog& log = content_->logs[i];
    const bool is_known = own.generations[i] != UINT64_MAX;
    const QuotaLog known = log;
    const bool is_there = read_at(descriptor_, &log, sizeof log, log_offset(i)) == sizeof log;
    own.generations[i] = head.generations[i];
    if (is_there && is_sound(log) && !is_being_written(head.generations[i])) {
      continue;
    }
    if (!is_there || !is_being_written(head.generations[i])) {
      trouble_ = path_ + ": its checksums are wrong; what is uncertain counts as used";
      log = is_known ? known : log;
    }
    mend(log, std::chrono::steady_clock::now().time_since_epoch().count());
    write_log(i);
  }
}

void QuotaFile::write_log(std::size_t index) {
  std::uint64_t& generation = content_->head.generations[index];
  const std::size_t place = offsetof(Head, generations) + index * sizeof generation;
  generation |= 1;
  write(&generation, sizeof generation, place);
  write(&content_->logs[index], sizeof(QuotaLog), log_offset(index));
  generation += 1;
  write(&generation, sizeof generation, place);
}

void QuotaFile::write_head() { write(&content_->head, sizeof(Head), 0); }

// The head last: it says that the rest is there. With other numbers than before, for the others.
void QuotaFile::write_all() {
  for (std::uint64_t& generation : content_->head.generations) {
    generation = (generation | 1) + 1;
  }
  write(content_->logs.data(), sizeof(QuotaLogs), sizeof(Head));
  write_head();
  if (size_of_file(descriptor_) > file_bytes && ::ftruncate(descriptor_, file_bytes) != 0) {
    trouble_ = error_text(path_, "cut to its size", errno);
  }
}

void QuotaFile::write(const void* octets, std::size_t count, std::size_t offset) {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t step = ::pwrite(descriptor_, static_cast<const char*>(octets) + done,
                                  count - done, static_cast<off_t>(offset + done));
    if (step < 0 && errno == EINTR) {
      continue;
    }
    if (step <= 0) {
      trouble_ = error_text(path_, "write", errno);
      return;
    }
    done += static_cast<std::size_t>(step);
  }
}

const QuotaLogs& QuotaFile::logs() const { return content_->logs; }

QuotaLog& QuotaFile::log(std::size_t index) {
  if (!std::exchange(is_used_[index], true)) {
    content_->before[index] = content_->logs[index];
  }
  return content_->logs[index];
}

LearntLimits QuotaFile::learnt() {
  const std::lock_guard lock(*this);
  return content_->head.learnt;
}

void QuotaFile::set_learnt(const LearntLimits& learnt) {
  LearntLimits dated = learnt;
  if (dated.learnt_at_unix_ns == 0) {
    dated.learnt_at_unix_ns = read_quota_clocks().unix_ns;
  }
  const std::lock_guard lock(*this);
  content_->head.learnt = dated;
  content_->head.learnt_check = sum_of(dated);
  write_head();
}

Result<void, std::string> QuotaFile::sync(const QuotaClocks& clocks) {
  std::string trouble;
  {
    const std::lock_guard lock(*this);
    content_->head.epoch = epoch_of(clocks);
    content_->head.epoch_check = sum_of(content_->head.epoch);
    write_head();
    trouble = std::exchange(trouble_, {});
  }
  if (!trouble.empty()) {
    return Failure(std::move(trouble));
  }
  if (!stands_at(descriptor_, path_)) {
    return Failure(path_ + ": somebody has removed it; later runs begin to count anew");
  }
  if (::fdatasync(descriptor_) != 0) {
    return Failure(error_text(path_, "sync", errno));
  }
  return {};
}

// Hosts have no case.
std::string quota_file_name(Bytes host, Bytes user) {
  std::string lower(host);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char octet) {
    return octet >= 'A' && octet <= 'Z' ? static_cast<char>(octet - 'A' + 'a') : octet;
  });
  const std::uint64_t hash = codec::hash_line(fmt::format("{}\n{}", lower, user)).low;
  std::string name;
  for (const char octet : Bytes(lower).substr(0, 100)) {
    const bool plain = (octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') ||
                       octet == '-' || (octet == '.' && !name.empty());
    name += plain ? octet : '_';
  }
  return fmt::format("{}-{:016x}.state", name, hash);
}

}  // namespace ringpost::queue
