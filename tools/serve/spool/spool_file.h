// The job file of a segment: lines that are on the disk when they were appended.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "queue/journal.h"
#include "queue/journal_error.h"
#include <ringpost/base.h>

namespace ringpost::serve {

// Thread: append() and break_off() are one's, the rest is any's.
class SpoolFile {
 public:
  // A new file, readable by its owner alone, whose name is on the disk when this returns.
  [[nodiscard]] static Result<std::unique_ptr<SpoolFile>, queue::JournalError> create(
      const std::string& path, const queue::JournalCalls& calls = {});
  // One that is there. What a crash has torn off its last line is cut: nobody was told that it is
  // stored.
  [[nodiscard]] static Result<std::unique_ptr<SpoolFile>, queue::JournalError> open(
      const std::string& path, const queue::JournalCalls& calls = {});
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;

  // Whole lines, which are on the disk when this returns. An error leaves the file as it was, with
  // what was stored before; where it may not be tried again the file takes no more.
  [[nodiscard]] Result<void, queue::JournalError> append(Bytes lines);
  [[nodiscard]] bool is_broken() const { return is_broken_.load(); }

  [[nodiscard]] const std::string& path() const { return path_; }
  // Octets on the disk, which end with a line.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_.load(); }
  // What open() has cut.
  [[nodiscard]] std::uint64_t cut_bytes() const { return cut_bytes_; }

 private:
  friend class SpoolLines;
  SpoolFile(std::string path, int descriptor, const queue::JournalCalls& calls);
  [[nodiscard]] Result<void, queue::JournalError> cut_torn_line();
  [[nodiscard]] queue::JournalError error_of(const char* action, int error_number) const;
  [[nodiscard]] queue::JournalError take_back(const char* action, int error_number, bool is_final);

  const std::string path_;
  const int descriptor_;
  const queue::JournalCalls calls_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<bool> is_broken_{false};
  std::uint64_t cut_bytes_ = 0;
};

// Goes through its lines, from the first to the last that is stored; further ones may come. Memory:
// the longest line, or a block. Thread: one.
class SpoolLines {
 public:
  // Octets behind a line that are readable.
  static constexpr std::size_t padding_bytes = 64;

  explicit SpoolLines(const SpoolFile& file) : file_(file) {}

  // The next line without its newline, valid until the next call; false: there is none so far.
  [[nodiscard]] Result<bool, queue::JournalError> next(Bytes& line);
  [[nodiscard]] bool is_at_end() const { return offset_ == file_.bytes(); }
  // Of the line that next() gave last, from 0; none of them is blank.
  [[nodiscard]] std::uint64_t index() const { return next_index_ - 1; }
  // Gives its memory back.
  void rest();

 private:
  [[nodiscard]] Result<void, queue::JournalError> read_more(std::uint64_t end);

  const SpoolFile& file_;
  std::uint64_t offset_ = 0;  // of the next line
  std::uint64_t next_index_ = 0;
  std::vector<char> block_;
  std::size_t filled_ = 0;
  std::size_t begin_ = 0;  // of the next line, in the block
};

}  // namespace ringpost::serve
