// Lines of job files and of standard input, compressed or not, without ever holding more than one
// line.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::run {

// A file that could not be opened or read.
struct InputError {
  std::string message;  // names the file
};

// Reads files one after the other, "-" being standard input. gzip and zstd are recognised by their
// first octets. Thread: one.
class JobInput {
 public:
  struct Line {
    Bytes text;                // without its newline; 64 octets behind it are readable
    Bytes file;                // as it was named; "-" is standard input
    std::uint32_t source = 0;  // which file, from 0, in the order in which they were named
    std::uint64_t number = 0;  // from 1, within the file
    bool too_long =
        false;  // over limits::job_line_bytes_max: `text` is empty, the line was skipped
  };

  // Opens every file before the first line is read, so that a mistyped name stops a run before it
  // begins. No file at all means standard input. `stop_descriptor` (or -1) becomes readable when
  // waiting for input shall end.
  [[nodiscard]] static Result<JobInput, InputError> open(const std::vector<std::string>& files,
                                                         int stop_descriptor);
  JobInput(JobInput&&) noexcept;
  JobInput& operator=(JobInput&&) noexcept;
  ~JobInput();

  // The next line, blank ones passed over; false at the end of the last file, or when it was
  // stopped. The line is valid until the next call. After an error the rest of that file is passed
  // over.
  [[nodiscard]] Result<bool, InputError> next(Line& line);
  // Whether next() may have to wait for input.
  [[nodiscard]] bool may_wait() const;
  // For whoever stops in the middle: how many lines next() would still give, where all of them are
  // in files; nothing for pipes, and when counting takes longer than until then. Reads on: the last
  // call.
  [[nodiscard]] std::optional<std::uint64_t> count_rest(Instant give_up_at);
  // FILE:LINE behind the last line that was given; empty at the end of the last file.
  [[nodiscard]] std::string place() const;

  // Octets of the files, compressed as they may be: taken so far, and in all (0: not known).
  [[nodiscard]] std::uint64_t bytes_read() const;
  [[nodiscard]] std::uint64_t bytes_total() const;

 private:
  struct State;
  explicit JobInput(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ringpost::run
