// The problem: an outcome is the last word only when nothing behind it says otherwise, and lines
// are too many to be kept. The idea: read twice; the first time note for whom a record came upon a
// known outcome, and where, the second time pass by what stands in front of that place. Limits: a
// run whose beginning is in a damaged stretch is not counted; what is written meanwhile is left
// out.
#include "queue/journal_outcomes.h"

#include <cstdint>
#include <unordered_map>
#include <utility>

#include "queue/journal_open_file.h"
#include "queue/journal_reader.h"

namespace ringpost::queue {

namespace {

// Calls `take(record, offset)` for each record that begins before `end`, and `pass(damage)` for
// each damaged stretch, until `take` returns false.
template <typename Take, typename Pass>
Result<void, JournalError> for_each_record(JournalReader& reader, std::uint64_t end, Take take,
                                           Pass pass) {
  while (true) {
    const auto step = reader.next();
    if (!step) {
      return Failure(step.error());
    }
    switch (*step) {
      case JournalReader::Step::end:
        return {};
      case JournalReader::Step::damage:
        pass(reader.damage());
        break;
      case JournalReader::Step::record:
        if (reader.record_offset() >= end || !take(reader.record(), reader.record_offset())) {
          return {};
        }
        break;
    }
  }
}

void pass_over(const JournalDamage&) {}

// Which outcomes are not the last word on their recipient.
class Superseded {
 public:
  // Before the history takes the record in.
  void notice(const codec::JournalRecord& record, std::uint64_t offset,
              const JournalHistory& history) {
    if (record.kind == codec::JournalRecordKind::outcome) {
      notice(record.outcome.ordinal, record.outcome.recipient_index, offset, history);
    }
    if (record.kind == codec::JournalRecordKind::intents ||
        record.kind == codec::JournalRecordKind::put_off) {
      for (const codec::JournalIntent& intent : record.intents) {
        for (auto index = intent.recipients_begin; index < intent.recipients_end; ++index) {
          notice(intent.ordinal, index, offset, history);
        }
      }
    }
  }
  // What was to be sent again before this stretch may have been within it.
  void notice(const JournalDamage& damage) { doubt_offset_ = damage.offset; }

  // After all of the file was noticed.
  [[nodiscard]] bool is_last(const codec::JournalOutcome& outcome, std::uint64_t offset) const {
    const auto later = later_offsets_.find({outcome.ordinal, outcome.recipient_index});
    if (later != later_offsets_.end() && offset < later->second) {
      return false;
    }
    return offset > doubt_offset_ ||
           RecipientMark::of(outcome.status).history() == RecipientHistory::final;
  }

 private:
  struct Key {
    std::uint64_t ordinal = 0;
    std::uint32_t recipient_index = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    // Odd numbers, so that neighbours of either kind are spread.
    std::size_t operator()(const Key& key) const {
      return static_cast<std::size_t>(key.ordinal * 0x9e3779b97f4a7c15U +
                                      key.recipient_index * 0x6a09e667f3bcc909U);
    }
  };
  void notice(std::uint64_t ordinal, std::uint32_t index, std::uint64_t offset,
              const JournalHistory& history) {
    if (history.of(ordinal).status(index)) {
      later_offsets_[{ordinal, index}] = offset;
    }
  }

  // Of the last record that came upon a known outcome. One recipient may be in a record twice.
  std::unordered_map<Key, std::uint64_t, KeyHash> later_offsets_;
  std::uint64_t doubt_offset_ = 0;
};

}  // namespace

Result<void, JournalError> for_each_outcome(const std::string& path, std::size_t run_index,
                                            const OutcomeTaker& take) {
  const JournalOpenFile file(path);
  auto reader = file.begin_reading();
  if (!reader) {
    return Failure(std::move(reader.error()));
  }
  std::size_t runs_begun = 0;
  const auto take_record = [&](const codec::JournalRecord& record, std::uint64_t) {
    runs_begun += record.kind == codec::JournalRecordKind::run ? 1U : 0U;
    const bool is_meant =
        record.kind == codec::JournalRecordKind::outcome && runs_begun > run_index;
    return !is_meant || take(record.outcome);
  };
  return for_each_record(*reader, reader->file_bytes(), take_record, pass_over);
}

Result<JournalReading, JournalError> for_each_last_outcome(const std::string& path,
                                                           const OutcomeTaker& take) {
  const JournalOpenFile file(path);
  auto reader = file.begin_reading();
  if (!reader) {
    return Failure(std::move(reader.error()));
  }
  JournalReading reading;
  Superseded superseded;
  const auto note = [&](const codec::JournalRecord& record, std::uint64_t offset) {
    superseded.notice(record, offset, reading.history);
    reading.history.add(record, offset);
    return true;
  };
  const auto note_damage = [&](const JournalDamage& damage) {
    superseded.notice(damage);
    reading.history.add_damage(damage);
  };
  const auto noted = for_each_record(*reader, reader->file_bytes(), note, note_damage);
  if (!noted) {
    return Failure(noted.error());
  }
  reading.whole_bytes = reader->whole_bytes();
  reading.torn_bytes = reader->torn_bytes();
  auto again = file.begin_reading();
  if (!again) {
    return Failure(std::move(again.error()));
  }
  // A run that writes meanwhile adds what the first reading does not know.
  const auto taken = for_each_record(
      *again, reading.whole_bytes,
      [&](const codec::JournalRecord& record, std::uint64_t offset) {
        const bool is_meant = record.kind == codec::JournalRecordKind::outcome &&
                              superseded.is_last(record.outcome, offset);
        return !is_meant || take(record.outcome);
      },
      pass_over);
  if (!taken) {
    return Failure(taken.error());
  }
  return reading;
}

}  // namespace ringpost::queue
