// Reads the records of a journal one by one, and finds its way past what is damaged.
#pragma once

#include <cstdint>
#include <string>

#include "codec/journal/journal_record.h"
#include "queue/journal_error.h"
#include <ringpost/base.h>

namespace ringpost::queue {

// Octets that are no record, with records behind them.
struct JournalDamage {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::string why;
};

// Memory: one block of the file, or one record if that is longer
// (limits::journal_record_bytes_max). Thread: one.
class JournalReader {
 public:
  enum class Step : std::uint8_t { record, damage, end };

  // The descriptor has to stay open, and stays its owner's. `path` is for messages. Fails when the
  // file is no journal.
  [[nodiscard]] static Result<JournalReader, JournalError> begin(int descriptor, std::string path);

  // The next record, or the next stretch that is damaged, or the end: of the file or, if nothing
  // behind is whole any more, of its last whole record. An error is one of the disk, or a file in
  // which so much is damaged that it is no journal any more.
  //
  // A run that survives power cuts may leave its last octets in any order. Those are not damage
  // but an end, as long as no record behind them says that they had been on the disk.
  [[nodiscard]] Result<Step, JournalError> next();

  // After Step::record, until the next call. Its offset is that of its first octet.
  [[nodiscard]] const codec::JournalRecord& record() const { return record_; }
  [[nodiscard]] std::uint64_t record_offset() const { return offset_ - record_.bytes; }
  // After Step::damage.
  [[nodiscard]] const JournalDamage& damage() const { return damage_; }
  // After Step::end: what the journal holds, and the torn octets behind that.
  [[nodiscard]] std::uint64_t whole_bytes() const { return offset_; }
  [[nodiscard]] std::uint64_t torn_bytes() const { return file_bytes_ - offset_; }
  [[nodiscard]] std::uint64_t file_bytes() const { return file_bytes_; }

 private:
  // Of what an attempt to read a record comes to.
  using Parsed = Result<void, codec::JournalFault>;

  JournalReader(int descriptor, std::string path, std::uint64_t file_bytes);
  // At least `count` octets at the offset, fewer only at the end of the file.
  [[nodiscard]] Result<Bytes, JournalError> octets_at(std::uint64_t offset, std::size_t count);
  [[nodiscard]] Result<Parsed, JournalError> parse_at(std::uint64_t offset,
                                                      codec::JournalRecord& record);
  [[nodiscard]] Result<std::uint64_t, JournalError> find_record(std::uint64_t offset);
  [[nodiscard]] Result<bool, JournalError> is_torn_by_power_cut(std::uint64_t damage_offset,
                                                                std::uint64_t offset);
  [[nodiscard]] Result<Step, JournalError> pass_damage(codec::JournalFault fault);

  int descriptor_ = -1;
  std::string path_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t offset_ = 0;  // of what comes next
  std::string block_;
  std::uint64_t block_offset_ = 0;
  codec::JournalRecord record_;
  codec::JournalRecord probe_;  // of a search
  JournalDamage damage_;
  std::size_t damages_ = 0;
  std::uint64_t searched_bytes_ = 0;
  bool survives_power_cut_ = false;  // the run of the last record does
  codec::JournalRules rules_;
};

}  // namespace ringpost::queue
