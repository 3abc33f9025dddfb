// queue/journal_reader and what is built on it: any octets are a journal or none, every octet of
// them is accounted for, and what a resume believes is what an oracle believes.
//
// Input: one octet of choices, then the file; or, if the choice is odd, pieces of it, so that
// checksums do not stand in the way: the kind of a record, the length of its payload, the payload,
// and head and checksum are made right. From kind 0x80 on the octets are taken as they are.
#include <algorithm>
#include <array>
#include <fcntl.h>
#include <map>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "queue/journal.h"
#include "queue/journal_outcomes.h"
#include "queue/journal_reader.h"
#include "tests/fuzz/fuzz_input.h"
#include <ringpost/limits.h>

using namespace ringpost;
using codec::JournalRecord;
using codec::JournalRecordKind;
using queue::JournalReader;
using queue::RecipientHistory;
using queue::RecipientMark;

namespace {

// A file in memory that has a path.
class MemoryFile {
 public:
  explicit MemoryFile(Bytes octets) : descriptor_(::memfd_create("journal", MFD_CLOEXEC)) {
    RP_ASSERT(descriptor_ >= 0);
    RP_ASSERT(::pwrite(descriptor_, octets.data(), octets.size(), 0) ==
              static_cast<ssize_t>(octets.size()));
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  [[nodiscard]] std::string octets() const {
    std::string all(static_cast<std::size_t>(::lseek(descriptor_, 0, SEEK_END)), '\0');
    RP_ASSERT(::pread(descriptor_, all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
    return all;
  }

 private:
  int descriptor_;
};

// ---- The file of an input -----------------------------------------------------------------------

void put_number(std::string& out, std::size_t place, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) {
    out[place + i] = static_cast<char>(value >> (8 * i));
  }
}

// CRC-32 bit by bit, and not the code that is tested.
std::uint32_t checksum_of(Bytes octets) {
  std::uint32_t sum = ~0U;
  for (const char octet : octets) {
    sum ^= static_cast<std::uint8_t>(octet);
    for (int bit = 0; bit < 8; ++bit) {
      sum = (sum >> 1) ^ ((sum & 1U) != 0 ? 0xedb88320U : 0U);
    }
  }
  return ~sum;
}

std::string file_of(fuzz::FuzzInput& input) {
  const unsigned choices = input.octet();
  if ((choices & 1u) == 0) {
    return std::string(input.rest());
  }
  std::string file(codec::journal_magic);
  while (!input.empty()) {
    const unsigned kind = input.octet();
    const Bytes payload = input.bytes(input.octet());
    const std::size_t begin = file.size();
    if (kind < 0x80) {
      file.append(8, '\0');
      file += static_cast<char>(kind % 9);
    }
    file += payload;
    if (kind < 0x80) {
      put_number(file, begin, static_cast<std::uint32_t>(payload.size()));
      put_number(file, begin + 4, checksum_of(Bytes(file).substr(begin + 8)));
    }
  }
  return file;
}

// ---- An oracle ----------------------------------------------------------------------------------

// The last word on each recipient who was ever named.
class Oracle {
 public:
  void add(const JournalRecord& record) {
    if (record.kind == JournalRecordKind::intents || record.kind == JournalRecordKind::put_off) {
      for (const codec::JournalIntent& intent : record.intents) {
        note_recipients(intent.ordinal, intent.recipients_end, 0);
        for (auto index = intent.recipients_begin; index < intent.recipients_end; ++index) {
          words_[{intent.ordinal, index}] =
              intent.is_put_off ? RecipientMark::put_off() : RecipientMark::in_flight();
        }
      }
    } else if (record.kind == JournalRecordKind::outcome) {
      note_recipients(record.outcome.ordinal, record.outcome.recipient_index + 1,
                      record.outcome.recipient_count);
      words_[{record.outcome.ordinal, record.outcome.recipient_index}] =
          RecipientMark::of(record.outcome.status);
    } else if (record.kind == JournalRecordKind::repair) {
      for (std::size_t source = 0; source < record.repair.doubtful_below.size(); ++source) {
        std::uint64_t& below = doubtful_below_[source];
        below = std::max(below, record.repair.doubtful_below[source]);
      }
    }
  }
  void add_damage() {
    for (auto& [recipient, mark] : words_) {
      mark = mark.history() == RecipientHistory::again ? RecipientMark::in_flight() : mark;
    }
  }
  // A job has as many recipients in one record as in the others: its line says so, and a history
  // keeps one mark for all of them where it can.
  [[nodiscard]] bool contradicts_itself() const { return contradicts_itself_; }
  // A history of it takes tens of megabytes, one octet of each recipient.
  [[nodiscard]] bool is_far() const {
    return std::any_of(recipients_.begin(), recipients_.end(),
                       [](const auto& job) { return job.second.count >= 1u << 20; });
  }
  [[nodiscard]] std::uint64_t count(RecipientMark mark) const {
    return static_cast<std::uint64_t>(std::count_if(
        words_.begin(), words_.end(), [mark](const auto& word) { return word.second == mark; }));
  }

  void check(const queue::JournalHistory& history) const {
    std::map<std::uint64_t, std::uint64_t> jobs_end = {{0, 0}};
    for (const auto& [recipient, mark] : words_) {
      RP_ASSERT(history.of(recipient.first).of(recipient.second) == mark.history());
      RP_ASSERT(history.of(recipient.first).status(recipient.second) == mark.status());
      RP_ASSERT(!history.of(recipient.first).is_untouched());
      std::uint64_t& end = jobs_end[codec::source_of(recipient.first)];
      end = std::max(end, std::uint64_t{codec::index_of(recipient.first)} + 1);
    }
    for (const auto& [source, end] : jobs_end) {
      check_front(history, static_cast<std::uint32_t>(source), end);
    }
    RP_ASSERT(history.count_in_flight() == count(RecipientMark::in_flight()));
    RP_ASSERT(history.count_put_off() == count(RecipientMark::put_off()));
    for (std::size_t i = 0; i < status_count; ++i) {
      const auto status = static_cast<Status>(i);
      RP_ASSERT(history.count(status) == count(RecipientMark::of(status)));
    }
    check_jobs_in_flight(history);
  }

 private:
  void check_front(const queue::JournalHistory& history, std::uint32_t source,
                   std::uint64_t jobs_end) const {
    const auto found = doubtful_below_.find(source);
    const std::uint64_t below = found == doubtful_below_.end() ? 0 : found->second;
    RP_ASSERT(history.front(source).jobs_end == jobs_end);
    RP_ASSERT(history.front(source).doubtful_below == below);
    if (jobs_end < limits::journal_jobs_max) {
      const auto next = codec::job_ordinal(source, static_cast<std::uint32_t>(jobs_end));
      RP_ASSERT(history.of(next).of(0) ==
                (jobs_end < below ? RecipientHistory::in_flight : RecipientHistory::none));
    }
  }

  void check_jobs_in_flight(const queue::JournalHistory& history) const {
    std::vector<std::uint64_t> jobs;
    for (const auto& [recipient, mark] : words_) {
      if (mark == RecipientMark::in_flight() && (jobs.empty() || jobs.back() != recipient.first)) {
        jobs.push_back(recipient.first);
      }
    }
    RP_ASSERT(history.jobs_in_flight(jobs.size() + 1) == jobs);
  }

  struct Recipients {
    std::uint32_t end = 0;    // behind the last one that was named
    std::uint32_t count = 0;  // as outcomes have it; 0: none did
  };

  void note_recipients(std::uint64_t ordinal, std::uint32_t end, std::uint32_t count) {
    Recipients& recipients = recipients_[ordinal];
    const bool differs = count != 0 && recipients.count != 0 && count != recipients.count;
    recipients.end = std::max(recipients.end, end);
    recipients.count = count != 0 ? count : recipients.count;
    const bool beyond = recipients.count != 0 && recipients.end > recipients.count;
    contradicts_itself_ = contradicts_itself_ || differs || beyond;
  }

  std::map<std::uint64_t, Recipients> recipients_;
  bool contradicts_itself_ = false;
  std::map<std::pair<std::uint64_t, std::uint32_t>, RecipientMark> words_;
  std::map<std::uint64_t, std::uint64_t> doubtful_below_;  // by source
};

// ---- What holds for any octets ------------------------------------------------------------------

std::string written_again(const JournalRecord& record) {
  std::string out;
  bool written = true;
  switch (record.kind) {
    case JournalRecordKind::header:
      written = codec::append_journal_header(out, record.header);
      break;
    case JournalRecordKind::run:
      written = codec::append_journal_run(out, record.run);
      break;
    case JournalRecordKind::intents:
    case JournalRecordKind::put_off:
      written = codec::append_journal_intents(out, record.intents);
      break;
    case JournalRecordKind::outcome:
      written = codec::append_journal_outcome(out, record.outcome);
      break;
    case JournalRecordKind::end:
      codec::append_journal_end(out, record.end);
      break;
    case JournalRecordKind::synced:
      codec::append_journal_synced(out, record.synced);
      break;
    case JournalRecordKind::repair:
      codec::append_journal_repair(out, record.repair);
      break;
  }
  RP_ASSERT(written);
  return out;
}

struct Reading {
  Oracle oracle;
  std::size_t damages = 0;
  std::uint64_t whole_bytes = 0;
  bool ended = false;  // and was not given up
};

// Records and damage stand one behind the other, and a record is what would be written again.
Reading read(Bytes file, int descriptor) {
  Reading reading;
  auto reader = JournalReader::begin(descriptor, "journal");
  RP_ASSERT(reader.has_value() == file.starts_with(codec::journal_magic));
  if (!reader) {
    return reading;
  }
  std::uint64_t place = codec::journal_magic.size();
  while (true) {
    const auto step = reader->next();
    if (!step) {
      return reading;
    }
    if (*step == JournalReader::Step::end) {
      break;
    }
    if (*step == JournalReader::Step::damage) {
      RP_ASSERT(reader->damage().offset == place && reader->damage().bytes > 0);
      RP_ASSERT(!reader->damage().why.empty());
      place += reader->damage().bytes;
      RP_ASSERT(place < file.size());
      reading.oracle.add_damage();
      ++reading.damages;
      RP_ASSERT(reading.damages <= limits::journal_damages_max);
      continue;
    }
    const JournalRecord& record = reader->record();
    RP_ASSERT(reader->record_offset() == place);
    RP_ASSERT(record.bytes <= limits::journal_record_bytes_max);
    RP_ASSERT(file.substr(place, record.bytes) == written_again(record));
    place += record.bytes;
    reading.oracle.add(record);
  }
  RP_ASSERT(reader->file_bytes() == file.size());
  RP_ASSERT(reader->whole_bytes() == place);
  RP_ASSERT(reader->whole_bytes() + reader->torn_bytes() == file.size());
  reading.whole_bytes = place;
  reading.ended = true;
  return reading;
}

void check_last_outcomes(const MemoryFile& file, const Reading& reading) {
  std::array<std::uint64_t, status_count> counts{};
  const auto known =
      queue::for_each_last_outcome(file.path(), [&](const codec::JournalOutcome& outcome) {
        ++counts[static_cast<std::size_t>(outcome.status)];
        RP_ASSERT(outcome.line.ends_with('\n'));
        return true;
      });
  RP_ASSERT(known.has_value());
  for (std::size_t i = 0; i < status_count; ++i) {
    RP_ASSERT(counts[i] == reading.oracle.count(RecipientMark::of(static_cast<Status>(i))));
  }
}

// A resume cuts the torn end, or refuses and touches nothing; then all is whole.
void check_resume(const MemoryFile& file, Bytes octets, const Reading& reading, bool repair) {
  const auto resumed = queue::Journal::resume(file.path(), queue::Durability::process, repair);
  if (!resumed) {
    RP_ASSERT(!resumed.error().message.empty());
    RP_ASSERT(file.octets() == octets);
    return;
  }
  RP_ASSERT(reading.ended && resumed->cut_offset == reading.whole_bytes);
  RP_ASSERT(resumed->cut_bytes == octets.size() - reading.whole_bytes);
  RP_ASSERT(resumed->history.damages().empty());
  RP_ASSERT(file.octets().starts_with(octets.substr(0, reading.whole_bytes)));
  RP_ASSERT(repair || file.octets().size() == reading.whole_bytes);
  const codec::JournalOutcome outcome{7, 7, 0, 1, Status::accepted, "{}\n"};
  RP_ASSERT(resumed->journal->append_outcomes({&outcome, 1}).has_value());
  const auto again = queue::read_journal(file.path());
  RP_ASSERT(again.has_value() && again->torn_bytes == 0);
  RP_ASSERT(again->history.damages().empty());
  RP_ASSERT(again->history.of(7).status(0) == Status::accepted);
  RP_ASSERT(again->history.front(0).doubtful_below == resumed->history.front(0).doubtful_below);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const std::string octets = file_of(input);
  const MemoryFile file(octets);
  const Reading reading = read(octets, file.descriptor());
  if (reading.oracle.is_far() || reading.oracle.contradicts_itself()) {
    return 0;
  }
  const auto known = queue::read_journal(file.descriptor(), "journal");
  RP_ASSERT(known.has_value() == reading.ended);
  if (known) {
    RP_ASSERT(known->whole_bytes == reading.whole_bytes);
    RP_ASSERT(known->whole_bytes + known->torn_bytes == octets.size());
    reading.oracle.check(known->history);
    check_last_outcomes(file, reading);
  }
  check_resume(file, octets, reading, false);
  const MemoryFile other(octets);
  check_resume(other, octets, reading, true);
  return 0;
}
