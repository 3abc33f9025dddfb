// What the journal of a run holds: values and their octets. queue/JOURNAL.md describes each octet;
// queue/journal owns the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/journal/line_hash.h"
#include "codec/mail/content_check.h"
#include <ringpost/base.h>
#include <ringpost/limits.h>
#include <ringpost/outcome.h>

namespace ringpost::codec {

// A journal begins with these, and goes on with the record of its header.
inline constexpr Bytes journal_magic = "RPJRNL1\n";
// Of a journal that is begun now; older ones are read and gone on with.
inline constexpr std::uint32_t journal_version = 3;
// In front of each payload: its length, the checksum, the kind.
inline constexpr std::size_t journal_record_head_bytes = 9;

// A job is named by its ordinal: the number of its source, which is a job file, in the order in
// which they were named, and its place, from 0, among the lines of that file that are not blank. In
// journals of versions 1 and 2 all files are one source.
[[nodiscard]] constexpr std::uint64_t job_ordinal(std::uint32_t source, std::uint32_t index) {
  return std::uint64_t{source} << 32 | index;
}
[[nodiscard]] constexpr std::uint32_t source_of(std::uint64_t ordinal) {
  return static_cast<std::uint32_t>(ordinal >> 32);
}
[[nodiscard]] constexpr std::uint32_t index_of(std::uint64_t ordinal) {
  return static_cast<std::uint32_t>(ordinal);
}

// What stands in the file: never renumbered.
enum class JournalRecordKind : std::uint8_t {
  header = 1,
  run = 2,
  intents = 3,
  outcome = 4,
  end = 5,
  synced = 6,
  repair = 7,
  put_off = 8,
};

// A job file that the journal is bound to.
struct JournalFile {
  std::string path;              // as it was named; "-" is standard input
  std::uint64_t size_bytes = 0;  // ~0 for standard input, and for a file that grows
  // A hash over parts of its octets; 0 for standard input, 1 for a file that grows.
  std::uint64_t sample = 0;
  bool operator==(const JournalFile&) const = default;
};

// What has to be the same in every run of the journal.
struct JournalHeader {
  std::int64_t created_us = 0;  // Unix time
  std::int64_t date_us = 0;     // the Date of composed messages, so that each run makes the same
  NewlinePolicy newlines = NewlinePolicy::normalize;
  std::vector<JournalFile> files;
  std::uint32_t version = journal_version;

  [[nodiscard]] bool has_one_source() const { return version < 3; }
  [[nodiscard]] LineHashKind line_hash() const {
    return version < 3 ? LineHashKind::legacy : LineHashKind::xxh3_128;
  }
  bool operator==(const JournalHeader&) const = default;
};

// What records have to keep to. Without a header: what is allowed in some journal.
struct JournalRules {
  std::uint64_t sources_max = std::uint64_t{1} << 32;
  // Ordinals in a repair; 0: any number but none.
  std::uint64_t repair_ordinals = 0;
  // Whom an intent may name.
  std::uint32_t recipients_max = limits::journal_recipients_max;

  // Of the records behind this one.
  [[nodiscard]] static JournalRules behind(const JournalHeader& header);
};

// A run begins.
struct JournalRun {
  std::uint32_t number = 1;     // from 1
  std::int64_t started_us = 0;  // Unix time
  std::string program_version;
  // Each batch is on the disk before it counts. Set by the journal, which knows.
  bool survives_power_cut = false;
  std::string outcomes_path;
  std::uint64_t outcomes_bytes = 0;  // what the outcomes file held when the run began
  bool operator==(const JournalRun&) const = default;
};

// From here on the end of data of this transaction may have been handed over; or, when it is put
// off, none of these recipients is in flight any more, and none has the message: the server said
// 4xx, or cannot have taken it.
struct JournalIntent {
  std::uint64_t ordinal = 0;
  std::uint64_t line_hash = 0;         // a resume compares its upper bits
  std::uint32_t recipients_begin = 0;  // of the job's recipients, those in [begin, end)
  std::uint32_t recipients_end = 0;
  bool is_put_off = false;
  bool operator==(const JournalIntent&) const = default;
};

// What became of one recipient. A job of which no recipient could be read has one, index 0.
struct JournalOutcome {
  std::uint64_t ordinal = 0;
  std::uint64_t line_hash = 0;
  std::uint32_t recipient_index = 0;
  std::uint32_t recipient_count = 1;
  Status status = Status::unsent;
  Bytes line;  // as it goes to the outcomes file, newline included; not owned
  bool operator==(const JournalOutcome&) const = default;
};

// A run ended, and said so.
struct JournalEnd {
  std::int64_t ended_us = 0;  // Unix time
  std::uint8_t exit_code = 0;
  bool operator==(const JournalEnd&) const = default;
};

// All octets before this offset were on the disk when the record was written. What a power cut
// leaves behind it need not be in order.
struct JournalSynced {
  std::uint64_t offset = 0;
  bool operator==(const JournalSynced&) const = default;
};

// Somebody accepted that [offset, offset + bytes) is damaged. From here on, jobs of which nothing
// is known count as in flight below these indices, one a source.
struct JournalRepair {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::vector<std::uint64_t> doubtful_below = {};
  bool operator==(const JournalRepair&) const = default;
};

// Each appends one record. False: nobody would read it again, since it would be longer than
// limits::journal_record_bytes_max, or an ordinal or a number of recipients is beyond the rules;
// nothing was appended.
[[nodiscard]] bool append_journal_header(std::string& out, const JournalHeader& header);
[[nodiscard]] bool append_journal_run(std::string& out, const JournalRun& run);
[[nodiscard]] bool append_journal_outcome(std::string& out, const JournalOutcome& outcome,
                                          const JournalRules& rules = {});
// As many records as the order and the bound make necessary; none for no intent.
[[nodiscard]] bool append_journal_intents(std::string& out, std::span<const JournalIntent> intents,
                                          const JournalRules& rules = {});
void append_journal_end(std::string& out, const JournalEnd& end);
void append_journal_synced(std::string& out, const JournalSynced& synced);
void append_journal_repair(std::string& out, const JournalRepair& repair);

// One record that was read. Only the member of its kind is meant; strings and lists keep their
// capacity from record to record.
struct JournalRecord {
  JournalRecordKind kind = JournalRecordKind::header;
  std::size_t bytes = 0;  // all of the record: head and payload
  JournalHeader header;
  JournalRun run;
  std::vector<JournalIntent> intents;  // of `intents` and of `put_off`
  JournalOutcome outcome;              // its line is a view of what was read
  JournalEnd end;
  JournalSynced synced;
  JournalRepair repair;
};

// Why octets are no record.
enum class JournalFault : std::uint8_t {
  cut_short,     // they end before the record does
  too_long,      // no record is as long as they say
  unknown_kind,  // no record has this kind
  checksum,      // the checksum is another one
  content,       // the checksum is right, and what stands there makes no sense
};
[[nodiscard]] std::string_view text_of(JournalFault fault);

// How long the record is that begins with these octets, by its head alone.
[[nodiscard]] Result<std::size_t, JournalFault> journal_record_bytes(Bytes octets);
// Reads the record that these octets begin with. After an error `record` is unspecified.
[[nodiscard]] Result<void, JournalFault> parse_journal_record(Bytes octets, JournalRecord& record,
                                                              const JournalRules& rules = {});

}  // namespace ringpost::codec
