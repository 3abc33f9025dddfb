// The problem: a message may leave only when its intent is safe, and a system call, or a turn of
// the disk, for each one is too much. The idea: a batch becomes octets first and then one write
// behind the known end, which is cut off again if it fails; whoever needs the disk waits for the
// one thread that is in fdatasync. Limits: appends take turns under one lock; what was written
// before a failed fdatasync stays in the file, and may be there or not for the next resume.
#include "queue/journal.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

#include "queue/directory_sync.h"
#include "queue/journal_lock.h"
#include <ringpost/limits.h>

namespace ringpost::queue {

namespace {

// What the batch keeps of its memory.
constexpr std::size_t batch_bytes_kept_max = 1u << 20;

JournalError system_error(const std::string& path, const char* action, int error_number) {
  return {fmt::format("{}: {}{}", path, action, std::strerror(error_number)),
          is_lack_of_room(error_number), error_number};
}

JournalError damage_error(const std::string& path, const std::vector<JournalDamage>& damages) {
  const JournalDamage& first = damages.front();
  const std::string others =
      damages.size() == 1 ? "" : fmt::format(" (and {} more places)", damages.size() - 1);
  return {
      fmt::format("{}: damaged from octet {} on, {} octets{}: {}. With --repair they are passed "
                  "over, and every recipient that they may have told of counts as unknown",
                  path, first.offset, first.bytes, others, first.why)};
}

}  // namespace

// ---- Opening ------------------------------------------------------------------------------------

Journal::Journal(std::string path, int descriptor, Durability durability, const JournalCalls& calls)
    : path_(std::move(path)), descriptor_(descriptor), durability_(durability), calls_(calls) {}

Journal::~Journal() { ::close(descriptor_); }

Result<std::unique_ptr<Journal>, JournalError> Journal::create(const std::string& path,
                                                               const codec::JournalHeader& header,
                                                               Durability durability,
                                                               const JournalCalls& calls) {
  auto journal = open(path, O_CREAT, durability, calls);
  if (!journal) {
    return journal;
  }
  struct stat status {};
  if (::fstat((*journal)->descriptor_, &status) != 0) {
    return Failure(system_error(path, "", errno));
  }
  if (status.st_size != 0) {
    return Failure(
        JournalError{fmt::format("{}: there is something in it already; --resume goes on with a "
                                 "journal, and a new one needs "
                                 "a file of its own",
                                 path)});
  }
  const auto written = (*journal)->write_first(header);
  if (!written) {
    return Failure(written.error());
  }
  return journal;
}

Result<ResumedJournal, JournalError> Journal::resume(const std::string& path, Durability durability,
                                                     bool repair, const JournalCalls& calls) {
  auto journal = open(path, 0, durability, calls);
  if (!journal) {
    return Failure(std::move(journal.error()));
  }
  auto reading = read_journal((*journal)->descriptor_, path);
  if (!reading) {
    return Failure(std::move(reading.error()));
  }
  if (!reading->history.has_header()) {
    return Failure(JournalError{fmt::format(
        "{}: the header is damaged or was never finished: nothing can be resumed from it; "
        "`ringpost journal export` prints the outcomes that it has",
        path)});
  }
  if (!reading->history.damages().empty() && !repair) {
    return Failure(damage_error(path, reading->history.damages()));
  }
  const auto ready = (*journal)->go_on_after(*reading);
  if (!ready) {
    return Failure(ready.error());
  }
  const auto repairs = reading->history.repair();
  if (!repairs.empty()) {
    std::unique_lock lock((*journal)->mutex_);
    std::string& batch = (*journal)->begin_batch();
    for (const codec::JournalRepair& each : repairs) {
      codec::append_journal_repair(batch, each);
    }
    const auto appended = (*journal)->commit(lock);
    if (!appended) {
      return Failure(appended.error());
    }
  }
  return ResumedJournal{std::move(*journal), std::move(reading->history), reading->whole_bytes,
                        reading->torn_bytes};
}

Result<std::unique_ptr<Journal>, JournalError> Journal::open(const std::string& path, int flags,
                                                             Durability durability,
                                                             const JournalCalls& calls) {
  // O_NONBLOCK: a pipe of that name must not hold us.
  const int descriptor =
      ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | flags, S_IRUSR | S_IWUSR | S_IRGRP);
  if (descriptor < 0) {
    return Failure(system_error(path, "", errno));
  }
  std::unique_ptr<Journal> journal(new Journal(path, descriptor, durability, calls));
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    return Failure(JournalError{path + ": a journal is an ordinary file, and this is none"});
  }
  const auto locked = lock_journal(descriptor, path);
  if (!locked) {
    return Failure(locked.error());
  }
  return journal;
}

Result<void, JournalError> Journal::write_first(const codec::JournalHeader& header) {
  const std::lock_guard lock(mutex_);
  rules_ = codec::JournalRules::behind(header);
  batch_ = codec::journal_magic;
  if (!codec::append_journal_header(batch_, header)) {
    return Failure(refused_record());
  }
  auto written = write_batch();
  if (!written) {
    return written;
  }
  // Whatever the durability: a journal that is there but empty after a power cut could be taken for
  // one of a run that had not begun.
  if (calls_.fdatasync(descriptor_) != 0) {
    return Failure(fail_for_good("fdatasync: ", errno));
  }
  synced_bytes_ = noted_bytes_ = written_bytes_;
  return sync_directory_of(path_);
}

Result<void, JournalError> Journal::go_on_after(const JournalReading& reading) {
  const std::lock_guard lock(mutex_);
  rules_ = codec::JournalRules::behind(reading.history.header());
  written_bytes_ = reading.whole_bytes;
  if (reading.torn_bytes > 0 &&
      calls_.ftruncate(descriptor_, static_cast<off_t>(written_bytes_)) != 0) {
    return Failure(fail_for_good("cut its torn end: ", errno));
  }
  if (durability_ == Durability::power) {
    if (calls_.fdatasync(descriptor_) != 0) {
      return Failure(fail_for_good("fdatasync: ", errno));
    }
    synced_bytes_ = written_bytes_;
  }
  return {};
}

// ---- Appending ----------------------------------------------------------------------------------

Result<void, JournalError> Journal::append_run(const codec::JournalRun& run) {
  codec::JournalRun filled = run;
  filled.survives_power_cut = durability_ == Durability::power;
  std::unique_lock lock(mutex_);
  if (!codec::append_journal_run(begin_batch(), filled)) {
    return Failure(refused_record());
  }
  return commit(lock);
}

Result<void, JournalError> Journal::append_intents(std::span<const codec::JournalIntent> intents) {
  if (intents.empty()) {
    return {};
  }
  std::unique_lock lock(mutex_);
  if (!codec::append_journal_intents(begin_batch(), intents, rules_)) {
    return Failure(refused_record());
  }
  return commit(lock);
}

Result<void, JournalError> Journal::append_outcomes(
    std::span<const codec::JournalOutcome> outcomes) {
  if (outcomes.empty()) {
    return {};
  }
  std::unique_lock lock(mutex_);
  std::string& batch = begin_batch();
  for (const codec::JournalOutcome& outcome : outcomes) {
    if (!codec::append_journal_outcome(batch, outcome, rules_)) {
      return Failure(refused_record());
    }
  }
  return commit(lock);
}

Result<void, JournalError> Journal::append_end(const codec::JournalEnd& end) {
  std::unique_lock lock(mutex_);
  codec::append_journal_end(begin_batch(), end);
  return commit(lock);
}

std::uint64_t Journal::bytes() const {
  const std::lock_guard lock(mutex_);
  return written_bytes_;
}

std::string& Journal::begin_batch() {
  if (batch_.capacity() > batch_bytes_kept_max) {
    batch_ = std::string();
  }
  batch_.clear();
  // Says what of the octets before could not be lost any more: what a power cut leaves in disorder
  // behind that is a torn end and no damage.
  if (synced_bytes_ > noted_bytes_) {
    codec::append_journal_synced(batch_, {synced_bytes_});
  }
  return batch_;
}

Result<void, JournalError> Journal::commit(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t synced_before = synced_bytes_;
  const auto written = write_batch();
  if (!written) {
    return written;
  }
  noted_bytes_ = std::max(noted_bytes_, synced_before);
  return durability_ == Durability::power ? wait_until_synced(lock, written_bytes_) : written;
}

bool Journal::lacks_room() const {
  const std::lock_guard lock(mutex_);
  return lacks_room_;
}

// All of the batch, or the file as it was.
Result<void, JournalError> Journal::write_batch() {
  if (!failure_.message.empty()) {
    return Failure(failure_);
  }
  lacks_room_ = false;
  std::size_t done = 0;
  int error_number = 0;
  while (done < batch_.size() && error_number == 0) {
    const ssize_t count = calls_.pwrite(descriptor_, batch_.data() + done, batch_.size() - done,
                                        static_cast<off_t>(written_bytes_ + done));
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0) {
      error_number = EIO;  // no file system writes nothing and says no error
    } else if (errno != EINTR) {
      error_number = errno;
    }
  }
  if (error_number == 0) {
    written_bytes_ += batch_.size();
    return {};
  }
  if (done > 0 && calls_.ftruncate(descriptor_, static_cast<off_t>(written_bytes_)) != 0) {
    return Failure(fail_for_good("cut what could not be written whole: ", errno));
  }
  if (!is_lack_of_room(error_number)) {
    return Failure(fail_for_good("write: ", error_number));
  }
  lacks_room_ = true;
  return Failure(system_error(path_, "write: ", error_number));
}

// One thread syncs for all who wait: those who came while it was in the system call are next.
Result<void, JournalError> Journal::wait_until_synced(std::unique_lock<std::mutex>& lock,
                                                      std::uint64_t offset) {
  while (synced_bytes_ < offset) {
    if (!failure_.message.empty()) {
      return Failure(failure_);
    }
    if (is_syncing_) {
      synced_more_.wait(lock);
      continue;
    }
    is_syncing_ = true;
    const std::uint64_t covered = written_bytes_;
    lock.unlock();
    const int result = calls_.fdatasync(descriptor_);
    const int error_number = errno;
    lock.lock();
    is_syncing_ = false;
    if (result == 0) {
      synced_bytes_ = std::max(synced_bytes_, covered);
    } else {
      // The kernel forgets what it could not write, so that the next call may succeed and mean
      // nothing.
      [[maybe_unused]] const JournalError failure = fail_for_good("fdatasync: ", error_number);
    }
    synced_more_.notify_all();
  }
  return {};
}

JournalError Journal::refused_record() const {
  return {
      fmt::format("{}: a record would be beyond its bounds: {} octets, {} recipients, {} jobs of "
                  "each of {} sources",
                  path_, limits::journal_record_bytes_max, rules_.recipients_max,
                  limits::journal_jobs_max, rules_.sources_max),
      false, 0};
}

JournalError Journal::fail_for_good(const char* action, int error_number) {
  if (failure_.message.empty()) {
    failure_ = system_error(path_, action, error_number);
    failure_.may_be_tried_again = false;
  }
  return failure_;
}

}  // namespace ringpost::queue
