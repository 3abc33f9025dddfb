// The problem: these octets are read by later versions, and out of files that were torn or damaged.
// The idea: numbers are written octet by octet, whatever the machine, and read by one reader that
// gives zeros once something is missing, so that one question at the end covers all; counts are
// compared with the octets at hand before memory is taken. Limits: CRC-32 finds accidents, not
// intent; a kind of record that a later version adds is damage to this one.
#include "codec/journal/journal_record.h"

#include <algorithm>
#include <concepts>
#include <limits>

#include <zlib.h>

#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr std::size_t payload_bytes_max =
    limits::journal_record_bytes_max - journal_record_head_bytes;
constexpr std::size_t intent_bytes = 24;
constexpr std::size_t count_bytes = 4;
constexpr std::size_t intents_max = (payload_bytes_max - count_bytes) / intent_bytes;
// Of a file in the header: two numbers and the length of its path.
constexpr std::size_t file_bytes_min = 20;

// ---- Writing ------------------------------------------------------------------------------------

template <std::unsigned_integral Number>
void put_at(char* place, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    place[i] = static_cast<char>(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

template <std::unsigned_integral Number>
void put(std::string& out, Number value) {
  char octets[sizeof value];
  put_at(octets, value);
  out.append(octets, sizeof value);
}

void put_time(std::string& out, std::int64_t unix_us) {
  put(out, static_cast<std::uint64_t>(unix_us));
}

void put_text(std::string& out, Bytes text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

std::uint32_t checksum_of(Bytes kind_and_payload) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(kind_and_payload.data()), kind_and_payload.size()));
}

// Room for length and checksum, and the kind. Returns where the record begins.
std::size_t begin_record(std::string& out, JournalRecordKind kind) {
  const std::size_t begin = out.size();
  out.append(journal_record_head_bytes - 1, '\0');
  out += static_cast<char>(kind);
  return begin;
}

// Takes the record back and returns false when it became too long.
bool finish_record(std::string& out, std::size_t begin) {
  const std::size_t payload_bytes = out.size() - begin - journal_record_head_bytes;
  if (payload_bytes > payload_bytes_max) {
    out.resize(begin);
    return false;
  }
  const std::uint32_t checksum =
      checksum_of(Bytes(out).substr(begin + journal_record_head_bytes - 1));
  put_at(out.data() + begin, static_cast<std::uint32_t>(payload_bytes));
  put_at(out.data() + begin + 4, checksum);
  return true;
}

// For records whose length does not depend on what they hold.
void finish_short_record(std::string& out, std::size_t begin) {
  const bool fits = finish_record(out, begin);
  RP_ASSERT(fits);
}

// ---- Reading ------------------------------------------------------------------------------------

// Takes values from the front of a payload. Once something was missing everything is 0 and empty.
class PayloadReader {
 public:
  explicit PayloadReader(Bytes payload) : rest_(payload) {}

  template <std::unsigned_integral Number>
  Number number() {
    Number value = 0;
    const Bytes octets = take(sizeof value);
    for (std::size_t i = octets.size(); i > 0; --i) {
      value = static_cast<Number>((std::uint64_t{value} << 8) |
                                  static_cast<std::uint8_t>(octets[i - 1]));
    }
    return value;
  }
  std::int64_t time() { return static_cast<std::int64_t>(number<std::uint64_t>()); }
  Bytes text() { return take(number<std::uint32_t>()); }
  Bytes rest() { return take(rest_.size()); }

  [[nodiscard]] std::size_t bytes_left() const { return rest_.size(); }
  // Everything was there, and nothing is left.
  [[nodiscard]] bool finished() const { return complete_ && rest_.empty(); }

 private:
  Bytes take(std::size_t count) {
    if (count > rest_.size()) {
      complete_ = false;
      rest_ = {};
      return {};
    }
    const Bytes taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  Bytes rest_;
  bool complete_ = true;
};

bool read_header(PayloadReader payload, JournalHeader& header) {
  header.version = payload.number<std::uint32_t>();
  header.created_us = payload.time();
  header.date_us = payload.time();
  const auto newlines = payload.number<std::uint8_t>();
  // The version says it, too; the octet is for other readers than this one.
  const auto line_hash = header.version < 3 ? std::uint8_t{0} : payload.number<std::uint8_t>();
  const auto file_count = payload.number<std::uint32_t>();
  if (header.version == 0 || header.version > journal_version || newlines > 1 ||
      line_hash != static_cast<std::uint8_t>(header.line_hash()) ||
      file_count > payload.bytes_left() / file_bytes_min) {
    return false;
  }
  header.newlines = newlines == 0 ? NewlinePolicy::normalize : NewlinePolicy::strict;
  header.files.resize(file_count);
  for (JournalFile& file : header.files) {
    file.path = payload.text();
    file.size_bytes = payload.number<std::uint64_t>();
    file.sample = payload.number<std::uint64_t>();
  }
  return payload.finished();
}

bool read_run(PayloadReader payload, JournalRun& run) {
  run.number = payload.number<std::uint32_t>();
  run.started_us = payload.time();
  const auto survives_power_cut = payload.number<std::uint8_t>();
  run.survives_power_cut = survives_power_cut == 1;
  run.program_version = payload.text();
  run.outcomes_path = payload.text();
  run.outcomes_bytes = payload.number<std::uint64_t>();
  return payload.finished() && survives_power_cut <= 1;
}

bool is_valid(const JournalIntent& intent, const JournalRules& rules) {
  return source_of(intent.ordinal) < rules.sources_max &&
         intent.recipients_begin < intent.recipients_end &&
         intent.recipients_end <= rules.recipients_max;
}

bool read_intents(PayloadReader payload, const JournalRules& rules, JournalRecord& record) {
  std::vector<JournalIntent>& intents = record.intents;
  const auto count = payload.number<std::uint32_t>();
  if (count == 0 || payload.bytes_left() != std::size_t{count} * intent_bytes) {
    return false;
  }
  intents.resize(count);
  for (JournalIntent& intent : intents) {
    intent.ordinal = payload.number<std::uint64_t>();
    intent.line_hash = payload.number<std::uint64_t>();
    intent.recipients_begin = payload.number<std::uint32_t>();
    intent.recipients_end = payload.number<std::uint32_t>();
    intent.is_put_off = record.kind == JournalRecordKind::put_off;
  }
  return std::all_of(intents.begin(), intents.end(),
                     [&rules](const JournalIntent& intent) { return is_valid(intent, rules); });
}

bool is_valid(const JournalOutcome& outcome, const JournalRules& rules) {
  return source_of(outcome.ordinal) < rules.sources_max &&
         outcome.recipient_index < outcome.recipient_count &&
         outcome.recipient_count <= limits::journal_recipients_max && outcome.line.ends_with('\n');
}

bool read_outcome(PayloadReader payload, const JournalRules& rules, JournalOutcome& outcome) {
  outcome.ordinal = payload.number<std::uint64_t>();
  outcome.line_hash = payload.number<std::uint64_t>();
  outcome.recipient_index = payload.number<std::uint32_t>();
  outcome.recipient_count = payload.number<std::uint32_t>();
  const auto status = payload.number<std::uint8_t>();
  outcome.line = payload.rest();
  if (!payload.finished() || status >= status_count) {
    return false;
  }
  outcome.status = static_cast<Status>(status);
  return is_valid(outcome, rules);
}

bool read_end(PayloadReader payload, JournalEnd& end) {
  end.ended_us = payload.time();
  end.exit_code = payload.number<std::uint8_t>();
  return payload.finished();
}

bool read_synced(PayloadReader payload, JournalSynced& synced) {
  synced.offset = payload.number<std::uint64_t>();
  return payload.finished();
}

bool read_repair(PayloadReader payload, const JournalRules& rules, JournalRepair& repair) {
  repair.offset = payload.number<std::uint64_t>();
  repair.bytes = payload.number<std::uint64_t>();
  repair.doubtful_below.resize(payload.bytes_left() / sizeof(std::uint64_t));
  for (std::uint64_t& below : repair.doubtful_below) {
    below = payload.number<std::uint64_t>();
  }
  const std::size_t ordinals = repair.doubtful_below.size();
  const bool is_for_each_source =
      rules.repair_ordinals == 0 ? ordinals > 0 : ordinals == rules.repair_ordinals;
  return payload.finished() && is_for_each_source && repair.bytes > 0 &&
         repair.bytes <= std::numeric_limits<std::uint64_t>::max() - repair.offset;
}

bool read_payload(Bytes payload, const JournalRules& rules, JournalRecord& record) {
  const PayloadReader reader(payload);
  switch (record.kind) {
    case JournalRecordKind::header:
      return read_header(reader, record.header);
    case JournalRecordKind::run:
      return read_run(reader, record.run);
    case JournalRecordKind::intents:
    case JournalRecordKind::put_off:
      return read_intents(reader, rules, record);
    case JournalRecordKind::outcome:
      return read_outcome(reader, rules, record.outcome);
    case JournalRecordKind::end:
      return read_end(reader, record.end);
    case JournalRecordKind::synced:
      return read_synced(reader, record.synced);
    case JournalRecordKind::repair:
      return read_repair(reader, rules, record.repair);
  }
  return false;
}

}  // namespace

JournalRules JournalRules::behind(const JournalHeader& header) {
  const std::uint64_t sources =
      header.has_one_source() ? 1 : std::max<std::uint64_t>(1, header.files.size());
  return {.sources_max = sources,
          .repair_ordinals = sources,
          .recipients_max =
              static_cast<std::uint32_t>(header.has_one_source() ? limits::job_recipients_max_before
                                                                 : limits::journal_recipients_max)};
}

bool append_journal_header(std::string& out, const JournalHeader& header) {
  const std::size_t begin = begin_record(out, JournalRecordKind::header);
  put(out, header.version);
  put_time(out, header.created_us);
  put_time(out, header.date_us);
  put(out, static_cast<std::uint8_t>(header.newlines == NewlinePolicy::strict ? 1 : 0));
  if (!header.has_one_source()) {
    put(out, static_cast<std::uint8_t>(header.line_hash()));
  }
  put(out, static_cast<std::uint32_t>(header.files.size()));
  for (const JournalFile& file : header.files) {
    put_text(out, file.path);
    put(out, file.size_bytes);
    put(out, file.sample);
  }
  return finish_record(out, begin);
}

bool append_journal_run(std::string& out, const JournalRun& run) {
  const std::size_t begin = begin_record(out, JournalRecordKind::run);
  put(out, run.number);
  put_time(out, run.started_us);
  put(out, static_cast<std::uint8_t>(run.survives_power_cut ? 1 : 0));
  put_text(out, run.program_version);
  put_text(out, run.outcomes_path);
  put(out, run.outcomes_bytes);
  return finish_record(out, begin);
}

bool append_journal_outcome(std::string& out, const JournalOutcome& outcome,
                            const JournalRules& rules) {
  if (!is_valid(outcome, rules)) {
    return false;
  }
  const std::size_t begin = begin_record(out, JournalRecordKind::outcome);
  put(out, outcome.ordinal);
  put(out, outcome.line_hash);
  put(out, outcome.recipient_index);
  put(out, outcome.recipient_count);
  put(out, static_cast<std::uint8_t>(outcome.status));
  out += outcome.line;
  return finish_record(out, begin);
}

void append_journal_end(std::string& out, const JournalEnd& end) {
  const std::size_t begin = begin_record(out, JournalRecordKind::end);
  put_time(out, end.ended_us);
  put(out, end.exit_code);
  finish_short_record(out, begin);
}

void append_journal_synced(std::string& out, const JournalSynced& synced) {
  const std::size_t begin = begin_record(out, JournalRecordKind::synced);
  put(out, synced.offset);
  finish_short_record(out, begin);
}

void append_journal_repair(std::string& out, const JournalRepair& repair) {
  const std::size_t begin = begin_record(out, JournalRecordKind::repair);
  put(out, repair.offset);
  put(out, repair.bytes);
  for (const std::uint64_t below : repair.doubtful_below) {
    put(out, below);
  }
  finish_short_record(out, begin);
}

bool append_journal_intents(std::string& out, std::span<const JournalIntent> intents,
                            const JournalRules& rules) {
  const auto valid = [&rules](const JournalIntent& intent) { return is_valid(intent, rules); };
  if (!std::all_of(intents.begin(), intents.end(), valid)) {
    return false;
  }
  while (!intents.empty()) {
    const bool is_put_off = intents.front().is_put_off;
    const auto other =
        std::find_if(intents.begin(), intents.end(),
                     [=](const JournalIntent& intent) { return intent.is_put_off != is_put_off; });
    const auto alike = static_cast<std::size_t>(other - intents.begin());
    const auto batch = intents.first(std::min(alike, intents_max));
    intents = intents.subspan(batch.size());
    const std::size_t begin =
        begin_record(out, is_put_off ? JournalRecordKind::put_off : JournalRecordKind::intents);
    put(out, static_cast<std::uint32_t>(batch.size()));
    for (const JournalIntent& intent : batch) {
      put(out, intent.ordinal);
      put(out, intent.line_hash);
      put(out, intent.recipients_begin);
      put(out, intent.recipients_end);
    }
    finish_short_record(out, begin);
  }
  return true;
}

std::string_view text_of(JournalFault fault) {
  switch (fault) {
    case JournalFault::cut_short:
      return "the record is cut short";
    case JournalFault::too_long:
      return "no record is as long as this one says";
    case JournalFault::unknown_kind:
      return "no record has this kind";
    case JournalFault::checksum:
      return "the checksum of the record is wrong";
    case JournalFault::content:
      return "the record says what cannot be";
  }
  return "";
}

Result<std::size_t, JournalFault> journal_record_bytes(Bytes octets) {
  if (octets.size() < journal_record_head_bytes) {
    return Failure(JournalFault::cut_short);
  }
  const auto payload_bytes = PayloadReader(octets).number<std::uint32_t>();
  if (payload_bytes > payload_bytes_max) {
    return Failure(JournalFault::too_long);
  }
  const auto kind = static_cast<std::uint8_t>(octets[journal_record_head_bytes - 1]);
  if (kind < static_cast<std::uint8_t>(JournalRecordKind::header) ||
      kind > static_cast<std::uint8_t>(JournalRecordKind::put_off)) {
    return Failure(JournalFault::unknown_kind);
  }
  return journal_record_head_bytes + payload_bytes;
}

Result<void, JournalFault> parse_journal_record(Bytes octets, JournalRecord& record,
                                                const JournalRules& rules) {
  const auto bytes = journal_record_bytes(octets);
  if (!bytes) {
    return Failure(bytes.error());
  }
  if (*bytes > octets.size()) {
    return Failure(JournalFault::cut_short);
  }
  const Bytes whole = octets.substr(0, *bytes);
  const Bytes checked = whole.substr(journal_record_head_bytes - 1);
  if (PayloadReader(whole.substr(4)).number<std::uint32_t>() != checksum_of(checked)) {
    return Failure(JournalFault::checksum);
  }
  record.kind = static_cast<JournalRecordKind>(checked.front());
  record.bytes = whole.size();
  if (!read_payload(checked.substr(1), rules, record)) {
    return Failure(JournalFault::content);
  }
  return {};
}

}  // namespace ringpost::codec
