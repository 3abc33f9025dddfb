// A disk that fails, runs full, and loses what was not synced when the power goes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/run/file_calls.h"
#include "queue/journal.h"
#include "tests/sim/lifetime.h"

namespace ringpost::sim {

// What is in a file; nothing when there is none.
[[nodiscard]] std::string read_file(const std::string& path);

// One in so many calls; 0: none.
struct SimDiskOptions {
  std::uint64_t full_one_in = 0;  // ENOSPC, behind any part of the octets
  std::uint64_t write_failure_one_in = 0;
  std::uint64_t sync_failure_one_in = 0;
  std::uint64_t interrupted_one_in = 0;  // EINTR, and writes that take fewer octets
};

// The octets are in real files, so that the code under test reads them by itself; what happens to
// them on the way is decided here. Thread: one, and one SimDisk at a time.
class SimDisk {
 public:
  explicit SimDisk(Random& random);
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  // From now on this process writes.
  void begin(const SimDiskOptions& options, Lifetime& lifetime);

  // For a journal.
  [[nodiscard]] static queue::JournalCalls calls();
  // For outcome files, of which nothing is ever on the disk for sure.
  [[nodiscard]] static run::FileCalls file_calls();

  // The machine goes down: of the journal, any sectors that were written since the last sync, or
  // cut off, may be lost, and of another file its end.
  void cut_power(const std::string& journal_path, const std::string& outcomes_path);

  [[nodiscard]] std::uint64_t full_count() const { return full_count_; }
  [[nodiscard]] std::uint64_t failure_count() const { return failure_count_; }

 private:
  static ssize_t pwrite(int descriptor, const void* octets, std::size_t count, off_t offset);
  static int ftruncate(int descriptor, off_t bytes);
  static int fdatasync(int descriptor);
  static ssize_t append(int descriptor, const void* octets, std::size_t count);
  static int fdatasync_file(int descriptor);
  [[nodiscard]] ssize_t write(Bytes octets, const std::function<ssize_t(Bytes)>& put);
  [[nodiscard]] int sync();

  Random& random_;
  SimDiskOptions options_;
  Lifetime* lifetime_ = nullptr;
  std::string synced_;  // the journal as the disk has it for sure
  int next_error_ = 0;
  std::uint64_t full_count_ = 0;
  std::uint64_t failure_count_ = 0;
};

}  // namespace ringpost::sim
