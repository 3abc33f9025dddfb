// Outcome lines on their way to a file or to standard output.
#pragma once

#include <cstdint>
#include <string>

#include "engine/run/file_calls.h"
#include "engine/run/run_trouble.h"
#include <ringpost/base.h>

namespace ringpost::run {

// Gathers lines and writes them in large pieces, whole lines only unless the system takes fewer
// octets. Lines that could not be written stay in memory, for another try when room has come.
// Thread: one at a time.
class OutcomeFile {
 public:
  // "-" is standard output. A file that exists is added to, never cut: outcome lines are the only
  // record of what was accepted. Once `stop_descriptor` is readable nothing waits any more for
  // whoever reads the other end of a pipe; -1: that never happens. A FIFO that nobody reads yet is
  // an error that may be tried again: this does not wait where no signal is seen.
  [[nodiscard]] static Result<OutcomeFile, RunTrouble> open(const std::string& path,
                                                            int stop_descriptor = -1,
                                                            const FileCalls& calls = {});
  OutcomeFile(OutcomeFile&& other) noexcept;
  OutcomeFile& operator=(OutcomeFile&&) = delete;
  ~OutcomeFile();

  [[nodiscard]] const std::string& path() const { return path_; }
  // Octets that the file held before.
  [[nodiscard]] std::uint64_t bytes_before() const { return bytes_before_; }
  // Where lines are appended.
  [[nodiscard]] std::string& lines() { return lines_; }
  // Writes when enough has gathered.
  [[nodiscard]] Result<void, RunTrouble> write_if_full();
  // Writes all.
  [[nodiscard]] Result<void, RunTrouble> write();
  // Waits until all that was written is on the disk, where there is one. Not to be tried again: a
  // disk that has said no may say yes the next time and mean nothing.
  [[nodiscard]] Result<void, RunTrouble> sync();
  // Octets that have not been written, and the lines whose ends are among them.
  [[nodiscard]] std::size_t unwritten_bytes() const { return lines_.size(); }
  [[nodiscard]] std::uint64_t unwritten_lines() const;

 private:
  OutcomeFile(std::string path, int descriptor, std::uint64_t bytes_before, int stop_descriptor,
              const FileCalls& calls);
  [[nodiscard]] Result<std::size_t, int> write_some(Bytes octets);
  [[nodiscard]] int wait_for_reader() const;

  std::string path_;
  int descriptor_ = -1;
  int stop_descriptor_ = -1;
  FileCalls calls_;
  bool is_file_ = false;  // and no pipe, socket or terminal, whose reader may keep us waiting
  std::uint64_t bytes_before_ = 0;
  std::string lines_;
};

}  // namespace ringpost::run
