// Problem: a reader makes jobs slower than two workers send them, and two readers must not make
// another run than one: every line once, and each known by its place in its file.
//
// Idea: what is cheap is done under a lock, for all readers: a read, the ends of lines, their
// numbers. What takes time is done with a block of lines that a reader has for himself. What is
// behind the last line of a block is copied to the begin of the next one. Rows of a table are lines
// that end at another newline: one outside of quotes, by a cut that sees each octet once.
//
// Limits: files are decompressed under the lock; a file that is slower to decompress than to parse
// keeps no second reader busy. Blocks are begun in order, and nobody knows which is done first.
#include "engine/run/line_blocks.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "codec/job/job_reader.h"
#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

// What was read is parsed while it is in a core's cache.
constexpr std::size_t buffer_bytes_first = 256u << 10;
// A line of the largest size, its newline, and the room that one read fills.
constexpr std::size_t buffer_bytes_max = limits::job_line_bytes_max + buffer_bytes_first;
static_assert(buffer_bytes_max < LineBlock::too_long);

std::string files_name(const ByteSource& source) {
  return source.name() == "-" ? "stdin" : source.name();
}

std::size_t capacity(const LineBlock& block) {
  return block.octets.size() - codec::JobReader::padding_bytes;
}

}  // namespace

LineBlocks::LineBlocks(const LineBlocksOptions& options, std::vector<std::string> names)
    : readers_(options.readers),
      lines_max_(readers_ == 1
                     ? options.lines_max
                     : std::min(options.lines_max, limits::lines_in_hand_max / options.readers)),
      line_bytes_max_(options.rows ? limits::recipient_row_bytes_max : limits::job_line_bytes_max),
      names_(std::move(names)) {
  RP_ASSERT(lines_max_ > 0);
}

Result<std::unique_ptr<LineBlocks>, InputError> LineBlocks::open(
    const std::vector<std::string>& files, int stop_descriptor, const LineBlocksOptions& options) {
  std::unique_ptr<LineBlocks> blocks(
      new LineBlocks(options, files.empty() ? std::vector<std::string>{"-"} : files));
  bool is_total_known = true;
  for (const std::string& file : blocks->names_) {
    // Without waiting: a FIFO without a writer would hold open() itself, where nothing can stop it.
    const int descriptor =
        file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
      return Failure(InputError{file + ": " + std::strerror(errno)});
    }
    blocks->sources_.push_back(std::make_unique<ByteSource>(descriptor, file, stop_descriptor));
    struct stat status {};
    if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
      return Failure(InputError{file + ": " + std::strerror(EISDIR)});
    }
    const ByteSource& source = *blocks->sources_.back();
    is_total_known = is_total_known && source.size_bytes() > 0;
    blocks->bytes_total_ += source.size_bytes();
    blocks->waits_from_ += source.may_wait() ? 1 : 0;
  }
  blocks->bytes_total_ = is_total_known ? blocks->bytes_total_ : 0;
  for (std::size_t i = 0; options.rows && i < blocks->sources_.size(); ++i) {
    auto header = read_table_header(*blocks->sources_[i], options.rows->delimiter);
    if (!header) {
      return Failure(InputError{files_name(*blocks->sources_[i]) + ": " + header.error()});
    }
    blocks->headers_.push_back(std::move(*header));
  }
  blocks->begin_source();
  return blocks;
}

Result<bool, InputError> LineBlocks::next(LineBlock& block) {
  const std::lock_guard lock(mutex_);
  block.lines.clear();
  while (source_ < sources_.size()) {
    auto taken = take_from_source(block);
    if (!taken || *taken) {
      return taken;
    }
    if (!stopped_) {
      next_source();
    }
  }
  return false;
}

// False: at its end, or it was stopped.
Result<bool, InputError> LineBlocks::take_from_source(LineBlock& block) {
  begin(block);
  while (true) {
    scan(block);
    if (!block.lines.empty()) {
      keep_rest(block);
      block.first_index = next_index_;
      next_index_ += block.lines.size();
      block.number = ++last_number_;
      return true;
    }
    if (rest_bytes() > 0) {
      fill_with_rest(block);
    } else if (source_ended_) {
      return false;
    } else if (auto filled = fill(block); !filled) {
      return Failure(std::move(filled.error()));
    }
    if (stopped_) {
      return false;
    }
  }
}

void LineBlocks::begin(LineBlock& block) {
  constexpr std::size_t bytes_first = buffer_bytes_first + codec::JobReader::padding_bytes;
  // A long line has swollen the buffer; the next file may have none.
  if (block.octets.size() < bytes_first ||
      (block.source != source_ && block.octets.size() > bytes_first)) {
    block.octets = std::vector<char>(bytes_first);
  }
  block.file = names_[source_];
  block.source = static_cast<std::uint32_t>(source_);
  if (!rest_stays_in_block()) {
    begin_ = searched_ = end_ = 0;
    cut_.restart();
  }
}

// All lines that are whole, and the rest of the source at its end.
void LineBlocks::scan(LineBlock& block) {
  while (block.lines.size() < lines_max_) {
    const std::size_t at = find_line_end(block);
    if (at == Bytes::npos) {
      searched_ = end_;
      break;
    }
    add_line(block, at);
    begin_ = searched_ = at + 1;
  }
  const bool is_end = source_ended_ && rest_bytes() == 0 && searched_ == end_;
  if (is_end && (begin_ != end_ || skipping_) && block.lines.size() < lines_max_) {
    add_line(block, end_);
    begin_ = end_;
  }
}

// Of the newline that ends the line which begins at begin_; npos: it is not there yet.
std::size_t LineBlocks::find_line_end(const LineBlock& block) {
  const Bytes octets(block.octets.data(), end_);
  if (table() == nullptr) {
    return octets.find('\n', searched_);
  }
  const std::size_t found = cut_.find_end(octets.substr(searched_));
  return found == Bytes::npos ? found : searched_ + found;
}

void LineBlocks::add_line(LineBlock& block, std::size_t end) {
  const std::uint64_t number = line_number_ + 1;
  line_number_ = number + (table() != nullptr ? cut_.inner_lines() : 0);
  const std::size_t bytes = end - begin_;
  const bool is_too_long = std::exchange(skipping_, false) || bytes > line_bytes_max_;
  if (is_too_long) {
    block.lines.push_back({0, LineBlock::too_long, number});
    return;
  }
  const Bytes line(block.octets.data() + begin_, bytes);
  if (is_blank(line)) {
    return;
  }
  block.lines.push_back(
      {static_cast<std::uint32_t>(begin_), static_cast<std::uint32_t>(bytes), number});
  if (hear_definition_ && codec::begins_definition(line)) {
    hear_definition_({line, block.file, block.source, number});
  }
}

// Of the file that is read.
const TableHeader* LineBlocks::table() const {
  const bool is_table =
      source_ < headers_.size() && headers_[source_].form == TableHeader::Form::csv;
  return is_table ? &headers_[source_] : nullptr;
}

// A row of a table without any value is blank, too: spreadsheets write such behind the last.
bool LineBlocks::is_blank(Bytes line) const {
  const char delimiter = table() != nullptr ? table()->delimiter : ' ';
  return std::all_of(line.begin(), line.end(), [delimiter](char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == delimiter;
  });
}

void LineBlocks::make_room(LineBlock& block) {
  if (begin_ > 0) {
    std::memmove(block.octets.data(), block.octets.data() + begin_, end_ - begin_);
    end_ -= begin_;
    searched_ -= begin_;
    begin_ = 0;
  }
  if (end_ > line_bytes_max_) {
    skipping_ = true;  // too long already: what is here of it is dropped
    end_ = searched_ = 0;
  }
  if (end_ == capacity(block)) {
    const std::size_t larger = std::min(capacity(block) * 2, buffer_bytes_max);
    block.octets.resize(larger + codec::JobReader::padding_bytes);
  }
}

Result<void, InputError> LineBlocks::fill(LineBlock& block) {
  make_room(block);
  ByteSource& from = *sources_[source_];
  const auto got = from.read({block.octets.data() + end_, capacity(block) - end_});
  bytes_read_.store(bytes_of_past_sources_ + from.taken_bytes(), std::memory_order_relaxed);
  if (!got) {
    source_ended_ = true;
    skipping_ = false;
    begin_ = searched_ = end_ = 0;  // half a line of a file that cannot be read is no job
    return Failure(InputError{from.name() + ": " + got.error()});
  }
  if (got->stopped) {
    source_ = sources_.size();  // nor is half a line that somebody was still writing
    stopped_ = true;
    return {};
  }
  end_ += got->bytes;
  source_ended_ = got->end;
  return {};
}

// As much of what an earlier block has left as makes a block: what is copied is never copied again
// for the sake of what stands in front of it.
void LineBlocks::fill_with_rest(LineBlock& block) {
  make_room(block);
  const char* const from = rest_.data() + rest_begin_;
  const std::size_t bytes_max = std::min(rest_bytes(), capacity(block) - end_);
  std::size_t bytes = 0;
  for (std::size_t lines = 0; lines < lines_max_ && bytes < bytes_max; ++lines) {
    const void* const newline = std::memchr(from + bytes, '\n', bytes_max - bytes);
    bytes = newline == nullptr
                ? bytes_max
                : static_cast<std::size_t>(static_cast<const char*>(newline) - from) + 1;
  }
  std::memcpy(block.octets.data() + end_, from, bytes);
  end_ += bytes;
  rest_begin_ += bytes;
  if (rest_bytes() == 0) {
    rest_begin_ = 0;
    rest_.clear();
    if (rest_.capacity() > buffer_bytes_first) {
      rest_.shrink_to_fit();
    }
  }
}

// Of what is behind the last line. The last of it was read by fill(), when there was no rest, or is
// the octets in front of the rest that is there.
void LineBlocks::keep_rest(const LineBlock& block) {
  const std::size_t bytes = end_ - begin_;
  if (rest_stays_in_block()) {
    return;
  }
  if (rest_bytes() > 0) {
    RP_ASSERT(bytes <= rest_begin_);
    rest_begin_ -= bytes;
    return;
  }
  rest_.assign(block.octets.begin() + static_cast<std::ptrdiff_t>(begin_),
               block.octets.begin() + static_cast<std::ptrdiff_t>(end_));
  rest_begin_ = 0;
}

void LineBlocks::next_source() {
  bytes_of_past_sources_ += sources_[source_]->taken_bytes();
  waits_from_ -= sources_[source_]->may_wait() ? 1 : 0;
  sources_[source_].reset();
  ++source_;
  next_index_ = counts_through_ ? next_index_ : 0;
  source_ended_ = false;
  skipping_ = false;
  begin_ = searched_ = end_ = 0;
  begin_source();
}

// Rows stand behind a header.
void LineBlocks::begin_source() {
  const bool has_header = source_ < headers_.size();
  line_number_ = has_header ? headers_[source_].lines : 0;
  cut_.begin(has_header ? headers_[source_].delimiter : ',');
}

std::string LineBlocks::place() const {
  return source_ >= sources_.size() ? std::string()
                                    : names_[source_] + ":" + std::to_string(line_number_ + 1);
}

}  // namespace ringpost::run
