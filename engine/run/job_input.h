// Lines of job files and of standard input, compressed or not, without ever holding more than a
// block of them for each reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/run/line_blocks.h"
#include <ringpost/base.h>

namespace ringpost::run {

// Lines that nobody was given, of an input that is read no more.
struct UnreadLines {
  std::optional<std::uint64_t> count;  // nothing: nobody knows
  std::string from;                    // FILE:LINE of the first, or in front of it; empty: none
  bool are_in_one_piece = true;        // none behind the first one was given
};

// What each of several readers is given is every line once; of one reader, in their order. Thread:
// what takes the number of a reader is that reader's; bytes_read() and bytes_total() are any's.
class JobInput {
 public:
  struct Line {
    Bytes text;                // without its newline; 64 octets behind it are readable
    Bytes file;                // as it was named; "-" is standard input
    std::uint32_t source = 0;  // which file, from 0, in the order in which they were named
    std::uint64_t number = 0;  // from 1, within the file
    std::uint64_t index = 0;   // from 0, among the lines of its file that are not blank
    bool too_long = false;     // see LineBlock: `text` is empty, the line was skipped
  };

  // See LineBlocks::open().
  [[nodiscard]] static Result<JobInput, InputError> open(const std::vector<std::string>& files,
                                                         int stop_descriptor,
                                                         const LineBlocksOptions& options = {});
  JobInput(JobInput&&) noexcept;
  JobInput& operator=(JobInput&&) noexcept;
  ~JobInput();

  [[nodiscard]] std::size_t readers() const;
  // See LineBlocks::headers().
  [[nodiscard]] const std::vector<TableHeader>& headers() const;
  // `index` goes through all files. Before the first line.
  void count_through();
  // See LineBlocks. Before the first line.
  void hear_definitions(DefinitionHook hook);
  // The next line, blank ones passed over; false at the end of the last file, or when it was
  // stopped. The line is valid until the next call. After an error the rest of that file is passed
  // over.
  [[nodiscard]] Result<bool, InputError> next(Line& line, std::size_t reader = 0);
  // Whether next() may have to wait for input, or for another reader who does.
  [[nodiscard]] bool may_wait(std::size_t reader = 0) const;
  // Waits in the place of the next call of next().
  void await(std::size_t reader = 0);
  // Whether next() gives a line of a block that others may have gone on behind.
  [[nodiscard]] bool has_in_hand(std::size_t reader) const;
  // The last line of next() counts as not given.
  void put_back(std::size_t reader);
  // Nobody reads any more: what is left, where all of it is in files, and when counting it takes no
  // longer than until then. Reads on: the last call.
  [[nodiscard]] UnreadLines unread(Instant give_up_at);

  // Octets of the files, compressed as they may be: taken so far, and in all (0: not known).
  [[nodiscard]] std::uint64_t bytes_read() const;
  [[nodiscard]] std::uint64_t bytes_total() const;

 private:
  struct State;
  explicit JobInput(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ringpost::run
