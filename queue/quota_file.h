// The quotas of an account in a file that all processes which send for it share.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "queue/quota_memory.h"
#include <ringpost/base.h>

namespace ringpost::queue {

// The clocks as they stand at one moment.
struct QuotaClocks {
  Instant now;
  std::int64_t unix_ns = 0;
  // Names the boot of this machine: within it the monotonic clock is one for all processes.
  std::string boot_id;
};
[[nodiscard]] QuotaClocks read_quota_clocks();

// The file's layout is that of the QuotaLogs on this machine; see the source. Counts survive the
// end of a process, however it comes, and after sync() a power cut. What others do to the file
// while it is used costs this process nothing of what it knew. Thread-safe where QuotaMemory is.
class QuotaFile final : public QuotaMemory {
 public:
  struct Opened;

  // Opens or makes the file, for its owner alone. One that cannot be read as a state file is set
  // aside beside it, and a new one made, which takes over what can be read: rather too much than
  // too little. The error is a sentence that begins with the path.
  [[nodiscard]] static Result<Opened, std::string> open(const std::string& path,
                                                        const QuotaClocks& clocks);
  ~QuotaFile() override;

  void lock() override;
  void unlock() override;
  [[nodiscard]] const QuotaLogs& logs() const override;
  [[nodiscard]] QuotaLog& log(std::size_t index) override;

  [[nodiscard]] LearntLimits learnt() override;
  // At the moment at which it is called, where it says none.
  void set_learnt(const LearntLimits& learnt) override;

  // Waits until everything is on the disk: for a thread that may wait. Notes where the wall clock
  // stands, which a later boot counts from. The error also tells, once, what was wrong with the
  // file since the last call.
  [[nodiscard]] Result<void, std::string> sync(const QuotaClocks& clocks);

 private:
  struct Content;
  friend class QuotaFileOpening;
  QuotaFile(std::string path, int descriptor, std::unique_ptr<Content> content);
  void lock_file();
  void unlock_file();
  void read_changes();
  void write_all();
  void write_log(std::size_t index);
  void write_head();
  void write(const void* octets, std::size_t count, std::size_t offset);

  std::string path_;
  int descriptor_;
  std::mutex mutex_;  // of this process; the file has one between processes
  std::unique_ptr<Content> content_;
  std::array<bool, quota_logs> is_used_{};  // since lock()
  std::string trouble_;                     // since the last sync()
};

struct QuotaFile::Opened {
  std::unique_ptr<QuotaFile> file;
  // A sentence for whoever runs the program, where something was wrong with the file; else empty.
  std::string notice;
};

// The name of the file of an account: the host, and a hash of host and user, so that it tells no
// address and any octets make a name.
[[nodiscard]] std::string quota_file_name(Bytes host, Bytes user);

}  // namespace ringpost::queue
