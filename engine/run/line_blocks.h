// Lines of job files and of standard input, compressed or not, by the block, for any number of
// readers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "codec/text/csv_record.h"
#include "engine/run/byte_source.h"
#include "engine/run/table_header.h"
#include <ringpost/base.h>

namespace ringpost::run {

// A file that could not be opened or read.
struct InputError {
  std::string message;  // names the file
};

// Whole lines of one file, one behind the other, blank ones passed over. Where they are rows of a
// table, one may span several lines of the file. Its memory is its own, and used again for the next
// block.
struct LineBlock {
  struct Line {
    std::uint32_t begin = 0;   // in `octets`
    std::uint32_t bytes = 0;   // without its newline; 64 octets behind it are readable
    std::uint64_t number = 0;  // from 1, within the file: of the first where it spans several
  };
  static constexpr std::uint32_t too_long = std::numeric_limits<std::uint32_t>::max();

  std::vector<char> octets;
  // `bytes` is `too_long` where a line is over limits::job_line_bytes_max, or as a row over
  // limits::recipient_row_bytes_max: it was skipped.
  std::vector<Line> lines;
  Bytes file;                     // as it was named; "-" is standard input
  std::uint32_t source = 0;       // which file, from 0, in the order in which they were named
  std::uint64_t first_index = 0;  // of the first line here, from 0, among those that are not blank
  std::uint64_t number = 0;       // of the block, among all of them, from 1
};

// A line that defines a template for those below it. Views.
struct DefinitionLine {
  Bytes text;                // 64 octets behind it are readable
  Bytes file;                // as it was named
  std::uint32_t source = 0;  // which file, from 0
  std::uint64_t number = 0;  // from 1, within the file
};
using DefinitionHook = std::function<void(const DefinitionLine&)>;

// Lines are rows of recipients.
struct RowOptions {
  char delimiter = '\0';  // of tables; 0: found out from the header row of each
};

struct LineBlocksOptions {
  std::size_t readers = 1;  // each of which calls next() with a block of its own, always the same
  // Of one block. Several readers together have no more than limits::lines_in_hand_max in hand.
  std::size_t lines_max = std::numeric_limits<std::size_t>::max();
  std::optional<RowOptions> rows = std::nullopt;  // nothing: they are job lines
};

// Reads files one after the other, "-" being standard input. gzip and zstd are recognised by their
// first octets. Thread-safe: next() by one at a time, the others wait.
class LineBlocks {
 public:
  // Opens every file before the first line is read, so that a mistyped name stops a run before it
  // begins. No file at all means standard input. `stop_descriptor` (or -1) becomes readable when
  // waiting for input shall end. Of rows the headers are read, too, which may wait.
  [[nodiscard]] static Result<std::unique_ptr<LineBlocks>, InputError> open(
      const std::vector<std::string>& files, int stop_descriptor,
      const LineBlocksOptions& options = {});

  // Of rows: of each file; of lines there are none.
  [[nodiscard]] const std::vector<TableHeader>& headers() const { return headers_; }
  // Indexes go through all files. Before the first block.
  void count_through() { counts_through_ = true; }
  // Whoever hears of each definition before anybody is given a line below it: under the lock of
  // next(). Before the first block, or when nobody reads any more.
  void hear_definitions(DefinitionHook hook) { hear_definition_ = std::move(hook); }
  // The next block, of one line or more; false at the end of the last file, or when it was stopped.
  // After an error the rest of that file is passed over.
  [[nodiscard]] Result<bool, InputError> next(LineBlock& block);
  // Whether next() may have to wait for input, or for whoever waits for it.
  [[nodiscard]] bool may_wait() const { return waits_from_.load() > 0; }
  // Octets of the files, compressed as they may be: taken so far, and in all (0: not known).
  [[nodiscard]] std::uint64_t bytes_read() const {
    return bytes_read_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t bytes_total() const { return bytes_total_; }

  // While nobody calls next(): FILE:LINE behind the last line that was given, empty at the end of
  // the last file; the number of the last block; and whether all that is left can be counted.
  [[nodiscard]] std::string place() const;
  [[nodiscard]] std::uint64_t last_number() const { return last_number_; }
  [[nodiscard]] bool is_countable() const { return !stopped_ && waits_from_.load() == 0; }

 private:
  LineBlocks(const LineBlocksOptions& options, std::vector<std::string> names);

  [[nodiscard]] Result<bool, InputError> take_from_source(LineBlock& block);
  void begin(LineBlock& block);
  void scan(LineBlock& block);
  [[nodiscard]] std::size_t find_line_end(const LineBlock& block);
  void add_line(LineBlock& block, std::size_t end);
  [[nodiscard]] Result<void, InputError> fill(LineBlock& block);
  void make_room(LineBlock& block);
  void fill_with_rest(LineBlock& block);
  void keep_rest(const LineBlock& block);
  [[nodiscard]] bool rest_stays_in_block() const { return readers_ == 1; }
  [[nodiscard]] std::size_t rest_bytes() const { return rest_.size() - rest_begin_; }
  [[nodiscard]] const TableHeader* table() const;
  [[nodiscard]] bool is_blank(Bytes line) const;
  void next_source();
  void begin_source();

  const std::size_t readers_;
  const std::size_t lines_max_;
  const std::size_t line_bytes_max_;
  bool counts_through_ = false;
  DefinitionHook hear_definition_;
  const std::vector<std::string> names_;  // of the sources, also behind their end
  std::vector<TableHeader> headers_;
  std::uint64_t bytes_total_ = 0;
  std::atomic<std::size_t> waits_from_{0};  // how many sources may wait, of those that are left
  std::atomic<std::uint64_t> bytes_read_{0};

  std::mutex mutex_;  // guards all below
  std::vector<std::unique_ptr<ByteSource>> sources_;
  std::size_t source_ = 0;  // the one being read
  std::uint64_t bytes_of_past_sources_ = 0;
  std::uint64_t line_number_ = 0;
  std::uint64_t next_index_ = 0;
  std::uint64_t last_number_ = 0;
  bool source_ended_ = false;
  codec::CsvCut cut_;      // of a table: what stands between begin_ and searched_
  bool skipping_ = false;  // within a line that is too long
  bool stopped_ = false;   // before the end of the sources
  // Octets that were read behind the last block, for whoever comes next: from rest_begin_ on. Where
  // there is one reader they stay in his block.
  std::vector<char> rest_;
  std::size_t rest_begin_ = 0;
  // Of the block that is made: octets of it from begin_ to end_ are no line yet, and those before
  // searched_ hold no newline.
  std::size_t begin_ = 0;
  std::size_t searched_ = 0;
  std::size_t end_ = 0;
};

}  // namespace ringpost::run
