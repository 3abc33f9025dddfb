// Where the record of accepted messages goes: one file of JSON lines, written in large pieces.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "codec/text/unix_date.h"
#include <ringpost/base.h>

namespace ringpost::sink {

// With what each line of a record begins, and so each record.
inline constexpr Bytes record_line_begin = R"({"session":)";

// Owns the file; shared by all threads of a sink and outlives their buffers. The first failure is
// kept, and nothing is written after it: a record with a hole would be a lie.
class Record {
 public:
  // Appends to `file`, which is new, empty or a record, and stores contents in the folder
  // `content_folder`, which it makes; empty: not.
  [[nodiscard]] static Result<std::unique_ptr<Record>, std::string> open(
      const std::string& file, const std::string& content_folder, bool has_digests = true);
  ~Record();
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  // Any thread: whole lines, which stay together.
  void append(Bytes lines);
  // Any thread.
  void fail(std::string what);
  // Empty as long as all is well.
  [[nodiscard]] std::string failure() const;

  [[nodiscard]] bool has_file() const { return descriptor_ >= 0; }
  // Whether its lines say what the contents were. Hashing is the larger part of taking long ones.
  [[nodiscard]] bool has_digests() const { return has_digests_; }
  [[nodiscard]] const std::string& content_folder() const { return content_folder_; }

 private:
  Record(int descriptor, std::string file, std::string content_folder, bool has_digests);

  const int descriptor_;
  const std::string file_;
  const std::string content_folder_;
  const bool has_digests_;
  mutable std::mutex mutex_;
  std::string failure_;
};

// One thread's lines on their way to the file, and the time that stands in them.
class RecordBuffer {
 public:
  // `record` outlives it; what was not flushed is written by the destructor.
  explicit RecordBuffer(Record& record);
  ~RecordBuffer();
  RecordBuffer(const RecordBuffer&) = delete;
  RecordBuffer& operator=(const RecordBuffer&) = delete;

  [[nodiscard]] Record& record() { return record_; }

  // The lines; whoever adds one calls line_added() behind it.
  [[nodiscard]] std::string& text() { return text_; }
  void line_added();
  void flush();
  [[nodiscard]] bool empty() const { return text_.empty(); }

  // Microseconds since 1970, once a turn.
  void set_time(std::int64_t unix_time_us) { unix_time_us_ = unix_time_us; }
  // Appends it to the lines (RFC 3339, without quotes).
  void append_timestamp() { timestamps_.append(text_, unix_time_us_); }

 private:
  Record& record_;
  std::string text_;
  std::int64_t unix_time_us_ = 0;
  codec::Rfc3339Writer timestamps_;
};

}  // namespace ringpost::sink
