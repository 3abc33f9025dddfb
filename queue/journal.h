// The journal of a run: intents before end of data may leave, outcomes after the reply.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <unistd.h>

#include "codec/journal/journal_record.h"
#include "queue/intent_log.h"
#include "queue/journal_error.h"
#include "queue/journal_history.h"
#include <ringpost/base.h>

namespace ringpost::queue {

// What an append that has returned survives.
enum class Durability : std::uint8_t {
  process,  // the end of the process, however it comes
  power,    // the end of the machine, too: fdatasync(2) before append returns
};

// The system calls that write, so that a test can let them fail.
struct JournalCalls {
  ssize_t (*pwrite)(int, const void*, std::size_t, off_t) = ::pwrite;
  int (*ftruncate)(int, off_t) = ::ftruncate;
  int (*fdatasync)(int) = ::fdatasync;
};

struct ResumedJournal;

// An append-only file that one process at a time may have open for writing. Thread-safe: each
// append is one write(2), all of it or nothing, in the order of the calls.
//
// An append that cannot be written leaves the journal as it was; one that was written and could not
// be synced may be in it. Where there was no room (ENOSPC, EDQUOT,
// EFBIG) it may be tried again; any other failure is for good, since nobody knows what a disk holds
// that reported an error once: every later append gets the same error. With Durability::power,
// appends that wait for the disk at the same time share one fdatasync(2). A process that wants
// EFBIG rather than its end has to ignore SIGXFSZ.
class Journal final : public IntentLog {
 public:
  // A new file, or an empty one; anything else is refused. Header and directory entry are on the
  // disk when this returns.
  [[nodiscard]] static Result<std::unique_ptr<Journal>, JournalError> create(
      const std::string& path, const codec::JournalHeader& header, Durability durability,
      const JournalCalls& calls = {});

  // Opens a journal to go on with it. What a crash has torn off its end is cut. Damage in the
  // middle is an error that names the place, unless `repair` accepts it: then everybody of whom the
  // lost part may have told counts as in flight.
  [[nodiscard]] static Result<ResumedJournal, JournalError> resume(const std::string& path,
                                                                   Durability durability,
                                                                   bool repair,
                                                                   const JournalCalls& calls = {});

  // Gives the lock back.
  ~Journal() override;

  // The start of a run, before its first intent. How durable it is, is filled in here.
  [[nodiscard]] Result<void, JournalError> append_run(const codec::JournalRun& run);
  [[nodiscard]] Result<void, JournalError> append_intents(
      std::span<const codec::JournalIntent> intents) override;
  // Before the lines are written anywhere else.
  [[nodiscard]] Result<void, JournalError> append_outcomes(
      std::span<const codec::JournalOutcome> outcomes);
  [[nodiscard]] Result<void, JournalError> append_end(const codec::JournalEnd& end);

  [[nodiscard]] const std::string& path() const { return path_; }
  // The last append has failed for want of room: whoever made it may be waiting to try it again.
  [[nodiscard]] bool lacks_room() const;
  [[nodiscard]] std::string file_without_room() const override {
    return lacks_room() ? path_ : std::string();
  }
  // Octets of the file.
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  Journal(std::string path, int descriptor, Durability durability, const JournalCalls& calls);
  [[nodiscard]] static Result<std::unique_ptr<Journal>, JournalError> open(
      const std::string& path, int flags, Durability durability, const JournalCalls& calls);
  [[nodiscard]] Result<void, JournalError> write_first(const codec::JournalHeader& header);
  [[nodiscard]] Result<void, JournalError> go_on_after(const JournalReading& reading);

  // The caller has mutex_. Records are encoded behind what this prepares, and commit() writes them.
  std::string& begin_batch();
  [[nodiscard]] Result<void, JournalError> commit(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] Result<void, JournalError> write_batch();
  [[nodiscard]] Result<void, JournalError> wait_until_synced(std::unique_lock<std::mutex>& lock,
                                                             std::uint64_t offset);
  [[nodiscard]] JournalError refused_record() const;
  [[nodiscard]] JournalError fail_for_good(const char* action, int error_number);

  const std::string path_;
  const int descriptor_;
  const Durability durability_;
  const JournalCalls calls_;

  codec::JournalRules rules_;  // set before anything is appended

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable synced_more_;
  std::string batch_;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t synced_bytes_ = 0;  // of these, on the disk for sure
  std::uint64_t noted_bytes_ = 0;   // the last offset that a `synced` record names
  bool is_syncing_ = false;         // some thread is in fdatasync
  bool lacks_room_ = false;         // the last write found none
  JournalError failure_;            // for good; its message is empty while there is none
};

struct ResumedJournal {
  std::unique_ptr<Journal> journal;
  JournalHistory history;
  std::uint64_t cut_offset = 0;  // where the torn end was cut, and how much it was
  std::uint64_t cut_bytes = 0;   // 0: nothing had to be cut
};

}  // namespace ringpost::queue
