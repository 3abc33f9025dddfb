// The problem: the end of a journal may be torn, its last pages in any order after a power cut, and
// a disk may spoil the middle; only the last of these is damage. The idea: what has the right
// checksum is a record; behind anything else each offset is tried for the next one, and where a run
// survives power cuts, `synced` and `repair` records decide. Limits: the search is bounded, since
// an evil file could have everything checksummed again for every octet.
#include "queue/journal_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <ringpost/limits.h>

namespace ringpost::queue {

using codec::JournalFault;
using codec::JournalRecordKind;

namespace {

constexpr std::size_t block_bytes = 256u << 10;

JournalError system_error(const std::string& path, const char* action) {
  const int error_number = errno;
  return {fmt::format("{}: {}: {}", path, action, std::strerror(error_number)), false,
          error_number};
}

// What only somebody can say who knows that the octets had been on the disk.
bool tells_of_damage(const codec::JournalRecord& record, std::uint64_t damage_offset) {
  if (record.kind == JournalRecordKind::synced) {
    return record.synced.offset > damage_offset;
  }
  return record.kind == JournalRecordKind::repair && record.repair.offset <= damage_offset &&
         damage_offset - record.repair.offset < record.repair.bytes;
}

}  // namespace

JournalReader::JournalReader(int descriptor, std::string path, std::uint64_t file_bytes)
    : descriptor_(descriptor), path_(std::move(path)), file_bytes_(file_bytes) {}

Result<JournalReader, JournalError> JournalReader::begin(int descriptor, std::string path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    return Failure(system_error(path, "read"));
  }
  if (!S_ISREG(status.st_mode)) {
    return Failure(JournalError{path + ": a journal is an ordinary file, and this is none"});
  }
  JournalReader reader(descriptor, std::move(path), static_cast<std::uint64_t>(status.st_size));
  const auto magic = reader.octets_at(0, codec::journal_magic.size());
  if (!magic) {
    return Failure(magic.error());
  }
  if (!magic->starts_with(codec::journal_magic)) {
    return Failure(
        JournalError{reader.path_ + ": it does not begin as a journal of ringpost does"});
  }
  reader.offset_ = codec::journal_magic.size();
  return reader;
}

Result<JournalReader::Step, JournalError> JournalReader::next() {
  if (offset_ == file_bytes_) {
    return Step::end;
  }
  const auto parsed = parse_at(offset_, record_);
  if (!parsed) {
    return Failure(parsed.error());
  }
  if (!*parsed) {
    return pass_damage(parsed->error());
  }
  if (record_.kind == JournalRecordKind::header && offset_ == codec::journal_magic.size()) {
    rules_ = codec::JournalRules::behind(record_.header);
  }
  if (record_.kind == JournalRecordKind::run) {
    survives_power_cut_ = record_.run.survives_power_cut;
  }
  offset_ += record_.bytes;
  return Step::record;
}

Result<JournalReader::Step, JournalError> JournalReader::pass_damage(JournalFault fault) {
  const auto next = find_record(offset_ + 1);
  if (!next) {
    return Failure(next.error());
  }
  if (*next == file_bytes_) {
    return Step::end;
  }
  const auto torn = is_torn_by_power_cut(offset_, *next);
  if (!torn) {
    return Failure(torn.error());
  }
  if (*torn) {
    return Step::end;
  }
  if (++damages_ > limits::journal_damages_max) {
    return Failure(JournalError{
        fmt::format("{}: more than {} places are damaged", path_, limits::journal_damages_max)});
  }
  damage_ = {offset_, *next - offset_, std::string(text_of(fault))};
  offset_ = *next;
  return Step::damage;
}

// Where the first whole record at or behind the offset begins; the end of the file when there is
// none.
Result<std::uint64_t, JournalError> JournalReader::find_record(std::uint64_t offset) {
  for (; offset < file_bytes_; ++offset) {
    const auto parsed = parse_at(offset, probe_);
    if (!parsed) {
      return Failure(parsed.error());
    }
    if (*parsed) {
      return offset;
    }
    if (searched_bytes_ > limits::journal_search_bytes_max) {
      return Failure(
          JournalError{fmt::format("{}: so much is damaged from octet {} on that no whole record "
                                   "was found behind it",
                                   path_, offset_)});
    }
  }
  return file_bytes_;
}

// Whether nothing from `offset` on, where a whole record begins, says that the damaged octets had
// been on the disk.
Result<bool, JournalError> JournalReader::is_torn_by_power_cut(std::uint64_t damage_offset,
                                                               std::uint64_t offset) {
  if (!survives_power_cut_) {
    return false;
  }
  while (offset < file_bytes_) {
    const auto next = find_record(offset);
    if (!next) {
      return Failure(next.error());
    }
    if (*next == file_bytes_) {
      break;
    }
    if (tells_of_damage(probe_, damage_offset)) {
      return false;
    }
    offset = *next + probe_.bytes;
  }
  return true;
}

Result<JournalReader::Parsed, JournalError> JournalReader::parse_at(std::uint64_t offset,
                                                                    codec::JournalRecord& record) {
  const auto head = octets_at(offset, codec::journal_record_head_bytes);
  if (!head) {
    return Failure(head.error());
  }
  const auto bytes = codec::journal_record_bytes(*head);
  if (!bytes) {
    return Parsed(Failure(bytes.error()));
  }
  if (*bytes > file_bytes_ - offset) {
    return Parsed(Failure(JournalFault::cut_short));
  }
  const auto octets = octets_at(offset, *bytes);
  if (!octets) {
    return Failure(octets.error());
  }
  Parsed parsed = codec::parse_journal_record(*octets, record, rules_);
  if (!parsed) {
    searched_bytes_ += *bytes;
  }
  return parsed;
}

Result<Bytes, JournalError> JournalReader::octets_at(std::uint64_t offset, std::size_t count) {
  count = std::min<std::uint64_t>(count, file_bytes_ - std::min(offset, file_bytes_));
  const std::uint64_t block_end = block_offset_ + block_.size();
  if (offset < block_offset_ || offset + count > block_end) {
    const std::uint64_t wanted =
        std::min<std::uint64_t>(std::max(count, block_bytes), file_bytes_ - offset);
    block_.resize(wanted);
    block_offset_ = offset;
    std::size_t filled = 0;
    while (filled < block_.size()) {
      const ssize_t got = ::pread(descriptor_, block_.data() + filled, block_.size() - filled,
                                  static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        block_.clear();
        return Failure(system_error(path_, "read"));
      }
      if (got == 0) {  // it became shorter while we read
        block_.resize(filled);
        file_bytes_ = offset + filled;
        break;
      }
      filled += static_cast<std::size_t>(got);
    }
  }
  return Bytes(block_).substr(offset - block_offset_);
}

}  // namespace ringpost::queue
