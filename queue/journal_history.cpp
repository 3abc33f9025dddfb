// The problem: a resume has to know the fate of every recipient of millions of jobs. The idea:
// nearly all jobs have one recipient, or one fate, and fit into four octets by their ordinal; only
// the others have an entry in a map, and go back into their cell when their recipients have come to
// the same end. Limits: 25 bits of a line's hash are kept, so one changed line in 33 million goes
// unnoticed; each damaged stretch costs a walk over all jobs.
#include "queue/journal_history.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "queue/journal_lock.h"
#include "queue/journal_open_file.h"
#include <ringpost/limits.h>

namespace ringpost::queue {

namespace {

constexpr std::size_t chunk_jobs = 1024;
constexpr unsigned hash_bits = 25;

constexpr std::uint32_t kept_part(std::uint64_t line_hash) {
  return static_cast<std::uint32_t>(line_hash >> (64 - hash_bits));
}

// No outcome is known of it.
bool is_open(RecipientMark mark) { return !mark.status(); }

}  // namespace

// How a cell stands for its recipients.
enum class JournalHistory::Form : std::uint8_t {
  first,    // of the first recipient the mark is known, of others nothing
  uniform,  // all have the mark
  mixed,    // see mixed_
};

// A job in four octets: 25 bits of its hash, a form, a mark. All zero: nothing is known.
class JournalHistory::Cell {
 public:
  [[nodiscard]] bool is_empty() const { return octets_ == 0; }
  [[nodiscard]] Form form() const { return static_cast<Form>((octets_ >> 4) & 3U); }
  [[nodiscard]] RecipientMark mark() const {
    return RecipientMark::from_code(static_cast<std::uint8_t>(octets_ & 15U));
  }
  [[nodiscard]] std::uint32_t hash() const { return octets_ >> (32 - hash_bits); }
  void set(Form form, RecipientMark mark) {
    octets_ = (octets_ & ~0x7fU) | 0x40U | (static_cast<std::uint32_t>(form) << 4) | mark.code();
  }
  void set_hash(std::uint32_t hash) { octets_ = (octets_ & 0x7fU) | (hash << (32 - hash_bits)); }

 private:
  std::uint32_t octets_ = 0;
};

struct JournalHistory::Chunk {
  std::array<Cell, chunk_jobs> cells;
};

// A job whose recipients have different fates, or are not all known yet.
struct JournalHistory::MixedJob {
  std::vector<RecipientMark> marks;  // of the first recipients
  RecipientMark rest;                // of all others
  std::size_t open_count = 0;        // marks that are no outcome
};

// What one record says of the recipients [begin, end). Their number is 0 when it does not say.
struct JournalHistory::Words {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t recipient_count = 0;
  RecipientMark mark;
};

// ---- One recipient, one job
// ----------------------------------------------------------------------

std::optional<Status> RecipientMark::status() const {
  const bool has_outcome = code_ >= 2 && code_ != put_off_code;
  return has_outcome ? std::optional(static_cast<Status>(code_ - 2)) : std::nullopt;
}

RecipientHistory RecipientMark::history() const {
  if (code_ < 2) {
    return code_ == 0 ? RecipientHistory::none : RecipientHistory::in_flight;
  }
  const std::optional<Status> last = status();
  return !last || last == Status::deferred || last == Status::unsent ? RecipientHistory::again
                                                                     : RecipientHistory::final;
}

RecipientMark JobHistory::mark(std::size_t recipient_index) const {
  RecipientMark mark = rest_;
  if (recipient_index < marks_.size()) {
    mark = marks_[recipient_index];
  } else if (recipient_index == 0) {
    mark = first_;
  }
  return is_doubtful_ && mark == RecipientMark() ? RecipientMark::in_flight() : mark;
}

bool JobHistory::is_untouched() const {
  const auto nothing = [](RecipientMark mark) { return mark == RecipientMark(); };
  return !is_doubtful_ && std::all_of(marks_.begin(), marks_.end(), nothing) &&
         (!marks_.empty() || nothing(first_)) && nothing(rest_);
}

bool JobHistory::is_final(std::size_t recipient_count) const {
  for (std::size_t index = 0; index < recipient_count; ++index) {
    if (of(index) != RecipientHistory::final) {
      return false;
    }
  }
  return true;
}

// ---- All jobs
// ------------------------------------------------------------------------------------

JournalHistory::JournalHistory() = default;
JournalHistory::JournalHistory(JournalHistory&&) noexcept = default;
JournalHistory& JournalHistory::operator=(JournalHistory&&) noexcept = default;
JournalHistory::~JournalHistory() = default;

const JournalHistory::Cell* JournalHistory::find_cell(std::uint64_t ordinal) const {
  const std::uint64_t chunk = ordinal / chunk_jobs;
  const auto found = chunks_.find(chunk);
  if (found == chunks_.end()) {
    return nullptr;
  }
  const Cell& cell = found->second->cells[ordinal % chunk_jobs];
  return cell.is_empty() ? nullptr : &cell;
}

JobHistory JournalHistory::of(std::uint64_t ordinal) const {
  JobHistory job;
  job.is_doubtful_ = codec::index_of(ordinal) < front(codec::source_of(ordinal)).doubtful_below;
  const Cell* const cell = find_cell(ordinal);
  if (cell == nullptr) {
    return job;
  }
  switch (cell->form()) {
    case Form::uniform:
      job.rest_ = cell->mark();
      [[fallthrough]];
    case Form::first:
      job.first_ = cell->mark();
      break;
    case Form::mixed: {
      const MixedJob& mixed = mixed_.at(ordinal);
      job.marks_ = mixed.marks;
      job.rest_ = mixed.rest;
      break;
    }
  }
  return job;
}

bool JournalHistory::line_matches(std::uint64_t ordinal, std::uint64_t line_hash) const {
  const Cell* const cell = find_cell(ordinal);
  return cell == nullptr || cell->hash() == kept_part(line_hash);
}

bool JournalHistory::is_in_flight(std::uint64_t ordinal, const Cell& cell) const {
  if (cell.form() != Form::mixed) {
    return cell.mark() == RecipientMark::in_flight();
  }
  const MixedJob& mixed = mixed_.at(ordinal);
  return std::find(mixed.marks.begin(), mixed.marks.end(), RecipientMark::in_flight()) !=
         mixed.marks.end();
}

std::vector<std::uint64_t> JournalHistory::jobs_in_flight(std::size_t jobs_max) const {
  std::vector<std::uint64_t> jobs;
  for (const auto& [number, chunk] : chunks_) {
    for (std::uint64_t place = 0; place < chunk_jobs && jobs.size() < jobs_max; ++place) {
      const std::uint64_t ordinal = number * chunk_jobs + place;
      const Cell& cell = chunk->cells[place];
      if (!cell.is_empty() && is_in_flight(ordinal, cell)) {
        jobs.push_back(ordinal);
      }
    }
  }
  return jobs;
}

std::size_t JournalHistory::bytes() const {
  // An entry of a map is a node with pointers.
  constexpr std::size_t node_bytes = 4 * sizeof(void*);
  std::size_t total = sizeof *this + fronts_.size() * (sizeof *fronts_.begin() + node_bytes) +
                      chunks_.size() * (sizeof *chunks_.begin() + node_bytes + sizeof(Chunk));
  for (const auto& [ordinal, job] : mixed_) {
    // An entry of the map is a node with a pointer, and there is a place for each in its table.
    total += sizeof ordinal + sizeof job + 3 * sizeof(void*) + job.marks.capacity();
  }
  return total;
}

// ---- Building
// ------------------------------------------------------------------------------------

void JournalHistory::add(const codec::JournalRecord& record, std::uint64_t offset) {
  switch (record.kind) {
    case codec::JournalRecordKind::header:
      // Only the one in front can be it: a header that damage hides is not made up for.
      if (offset == codec::journal_magic.size()) {
        header_ = record.header;
        has_header_ = true;
      }
      break;
    case codec::JournalRecordKind::run:
      runs_.push_back({.run = record.run, .end = std::nullopt, .offset = offset});
      break;
    case codec::JournalRecordKind::intents:
    case codec::JournalRecordKind::put_off:
      std::for_each(record.intents.begin(), record.intents.end(),
                    [this](const codec::JournalIntent& intent) { add_intent(intent); });
      break;
    case codec::JournalRecordKind::outcome:
      add_outcome(record.outcome);
      break;
    case codec::JournalRecordKind::end:
      if (!runs_.empty()) {
        runs_.back().end = record.end;
      }
      break;
    case codec::JournalRecordKind::synced:
      break;
    case codec::JournalRecordKind::repair:
      add_repair(record.repair);
      break;
  }
}

void JournalHistory::add_damage(const JournalDamage& damage) {
  damages_.push_back(damage);
  // What is lost may be that somebody who was to be sent again was.
  const auto doubt = [this](RecipientMark& mark) {
    if (mark.history() == RecipientHistory::again) {
      count_change(mark, RecipientMark::in_flight());
      mark = RecipientMark::in_flight();
    }
  };
  for (auto& [ordinal, job] : mixed_) {
    std::for_each(job.marks.begin(), job.marks.end(), doubt);
    job.open_count =
        static_cast<std::size_t>(std::count_if(job.marks.begin(), job.marks.end(), is_open));
  }
  for (const auto& [number, chunk] : chunks_) {
    for (Cell& cell : chunk->cells) {
      RecipientMark mark = cell.mark();
      if (!cell.is_empty() && cell.form() != Form::mixed) {
        doubt(mark);
        cell.set(cell.form(), mark);
      }
    }
  }
}

std::vector<codec::JournalRepair> JournalHistory::repair() {
  // Files are read one behind the other. The last jobs that were read may have been in the lost
  // part alone: as many as can be under way, of the last source that is known and of those behind
  // it; and any of the sources in front.
  const std::uint32_t last = fronts_.empty() ? 0 : fronts_.rbegin()->first;
  std::vector<std::uint64_t> doubtful_below;
  for (std::uint32_t source = 0; source < codec::JournalRules::behind(header_).sources_max;
       ++source) {
    doubtful_below.push_back(source < last ? limits::journal_jobs_max
                                           : front(source).jobs_end + limits::jobs_in_flight_max);
  }
  std::vector<codec::JournalRepair> repairs;
  for (const JournalDamage& damage : damages_) {
    repairs.push_back({damage.offset, damage.bytes, doubtful_below});
  }
  for (const codec::JournalRepair& each : repairs) {
    add_repair(each);
  }
  return repairs;
}

void JournalHistory::add_repair(const codec::JournalRepair& repair) {
  const auto is_covered = [&repair](const JournalDamage& damage) {
    return damage.offset >= repair.offset && damage.bytes <= repair.bytes &&
           damage.offset - repair.offset <= repair.bytes - damage.bytes;
  };
  const auto covered = std::stable_partition(
      damages_.begin(), damages_.end(),
      [&is_covered](const JournalDamage& damage) { return !is_covered(damage); });
  repaired_.insert(repaired_.end(), covered, damages_.end());
  damages_.erase(covered, damages_.end());
  std::uint32_t source = 0;
  for (const std::uint64_t below : repair.doubtful_below) {
    JournalFront& front = fronts_[source++];
    front.doubtful_below = std::max(front.doubtful_below, below);
  }
}

JournalHistory::Cell& JournalHistory::cell_for(std::uint64_t ordinal, std::uint64_t line_hash) {
  const std::uint64_t number = ordinal / chunk_jobs;
  // Records that follow each other name jobs that do.
  if (last_chunk_ == nullptr || number != last_chunk_number_) {
    std::unique_ptr<Chunk>& chunk = chunks_[number];
    if (chunk == nullptr) {
      chunk = std::make_unique<Chunk>();
    }
    last_chunk_ = chunk.get();
    last_chunk_number_ = number;
  }
  JournalFront& front = fronts_[codec::source_of(ordinal)];
  front.jobs_end = std::max(front.jobs_end, std::uint64_t{codec::index_of(ordinal)} + 1);
  Cell& cell = last_chunk_->cells[ordinal % chunk_jobs];
  if (cell.is_empty()) {
    cell.set(Form::first, RecipientMark());
  }
  cell.set_hash(kept_part(line_hash));
  return cell;
}

void JournalHistory::count_change(RecipientMark from, RecipientMark to) {
  --counts_[from.code()];
  ++counts_[to.code()];
}

void JournalHistory::add_intent(const codec::JournalIntent& intent) {
  Cell& cell = cell_for(intent.ordinal, intent.line_hash);
  const RecipientMark mark =
      intent.is_put_off ? RecipientMark::put_off() : RecipientMark::in_flight();
  // Nearly all jobs have one recipient.
  if (cell.form() == Form::first && intent.recipients_end == 1) {
    count_change(cell.mark(), mark);
    cell.set(Form::first, mark);
    return;
  }
  set_mixed(intent.ordinal, cell, {intent.recipients_begin, intent.recipients_end, 0, mark});
}

void JournalHistory::add_outcome(const codec::JournalOutcome& outcome) {
  if (!runs_.empty()) {
    ++runs_.back().outcome_count;
    runs_.back().outcome_bytes += outcome.line.size();
  }
  Cell& cell = cell_for(outcome.ordinal, outcome.line_hash);
  const RecipientMark mark = RecipientMark::of(outcome.status);
  if (outcome.recipient_count == 1 && cell.form() != Form::mixed) {
    count_change(cell.mark(), mark);
    cell.set(Form::uniform, mark);
    return;
  }
  set_mixed(outcome.ordinal, cell,
            {outcome.recipient_index, outcome.recipient_index + 1, outcome.recipient_count, mark});
}

// The general case. Jobs whose recipients all came to the same end go back into their cell.
void JournalHistory::set_mixed(std::uint64_t ordinal, Cell& cell, const Words& words) {
  MixedJob& job = mixed_[ordinal];
  if (cell.form() == Form::uniform) {
    job.rest = cell.mark();
  } else if (cell.form() == Form::first && cell.mark() != RecipientMark()) {
    job.marks.push_back(cell.mark());
    job.open_count = is_open(cell.mark()) ? 1 : 0;
  }
  cell.set(Form::mixed, RecipientMark());
  const std::size_t known = std::max(words.end, words.recipient_count);
  if (known > job.marks.size()) {
    job.open_count += is_open(job.rest) ? known - job.marks.size() : 0;
    job.marks.resize(known, job.rest);
  }
  for (std::uint32_t index = words.begin; index < words.end; ++index) {
    RecipientMark& mark = job.marks[index];
    count_change(mark, words.mark);
    job.open_count -= is_open(mark) ? 1U : 0U;
    job.open_count += is_open(words.mark) ? 1U : 0U;
    mark = words.mark;
  }
  const RecipientMark first = job.marks.front();
  const bool is_settled = words.recipient_count == job.marks.size() && job.open_count == 0 &&
                          (first.history() == RecipientHistory::final || job.marks.size() == 1);
  if (is_settled && std::all_of(job.marks.begin(), job.marks.end(),
                                [first](RecipientMark mark) { return mark == first; })) {
    mixed_.erase(ordinal);
    cell.set(Form::uniform, first);
  }
}

// ---- Files
// ---------------------------------------------------------------------------------------

namespace {

Result<JournalReading, JournalError> read_all(JournalReader& reader) {
  JournalReading reading;
  while (true) {
    const auto step = reader.next();
    if (!step) {
      return Failure(step.error());
    }
    switch (*step) {
      case JournalReader::Step::record:
        reading.history.add(reader.record(), reader.record_offset());
        break;
      case JournalReader::Step::damage:
        reading.history.add_damage(reader.damage());
        break;
      case JournalReader::Step::end:
        reading.whole_bytes = reader.whole_bytes();
        reading.torn_bytes = reader.torn_bytes();
        return reading;
    }
  }
}

}  // namespace

Result<JournalReading, JournalError> read_journal(const std::string& path) {
  const JournalOpenFile file(path);
  auto reader = file.begin_reading();
  if (!reader) {
    return Failure(std::move(reader.error()));
  }
  std::string writer = journal_writer(file.descriptor());
  auto reading = read_all(*reader);
  if (reading) {
    reading->writer = std::move(writer);
  }
  return reading;
}

Result<JournalReading, JournalError> read_journal(int descriptor, const std::string& path) {
  auto reader = JournalReader::begin(descriptor, path);
  if (!reader) {
    return Failure(std::move(reader.error()));
  }
  return read_all(*reader);
}

}  // namespace ringpost::queue
