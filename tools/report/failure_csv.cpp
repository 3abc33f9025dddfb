// The problem: whose last line says that he has no message is known at the end only, and the list
// may be as long as the newsletter's. The idea: the files are read twice, first for the number of
// the line that counts for each, then for the lines. Limits: as those of AddressSet.
#include "tools/report/failure_csv.h"

#include <array>
#include <cstdint>
#include <limits>
#include <sys/stat.h>

#include <fmt/format.h>

#include "engine/run/address_set.h"
#include "tools/report/outcome_tally.h"
#include <ringpost/limits.h>

namespace ringpost::cli {

namespace {

constexpr std::uint32_t nobody = std::numeric_limits<std::uint32_t>::max();

void append_cell(std::string& row, Bytes text) {
  constexpr Bytes special = ",\"\r\n";
  if (text.find_first_of(special) == Bytes::npos) {
    row += text;
    return;
  }
  row += '"';
  for (const char c : text) {
    row += c == '"' ? Bytes("\"\"") : Bytes(&c, 1);
  }
  row += '"';
}

std::string row_of(const OutcomeRecord& record) {
  const std::string code = record.code == 0 ? std::string() : std::to_string(record.code);
  const Bytes text = record.code == 0 ? record.reason : record.text;
  const std::array<Bytes, 10> cells = {record.id,
                                       record.recipient_id,
                                       record.recipient,
                                       name_of(record.status),
                                       code,
                                       record.enhanced,
                                       text,
                                       record.stage,
                                       record.endpoint,
                                       record.timestamp};
  std::string row;
  for (const Bytes one : cells) {
    row += row.empty() ? "" : ",";
    append_cell(row, one);
  }
  return row + "\r\n";
}

bool can_be_read_twice(const std::string& file) {
  struct stat facts = {};
  return file != "-" && ::stat(file.c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
}

}  // namespace

Result<OutcomeFilesRead, std::string> write_failure_csv(
    const std::vector<std::string>& files, const std::function<void(std::string_view)>& write) {
  for (const std::string& file : files) {
    if (!can_be_read_twice(file)) {
      return Failure(
          fmt::format("{}: is read twice for a CSV, so it must be a file that is there: "
                      "save it first",
                      file));
    }
  }
  run::AddressSet counting(limits::known_addresses_max);
  bool is_full = false;
  auto read = read_outcome_files(files, [&](const OutcomeRecord& record, std::uint64_t number) {
    const bool failed = record.status != Status::accepted && record.status != Status::skipped;
    const std::uint64_t key = OutcomeTally::key_of(record);
    if (record.is_final && (failed || counting.find(key))) {
      const auto place = failed ? static_cast<std::uint32_t>(number) : nobody;
      is_full = is_full || counting.put(key, place) == run::AddressSet::Added::full;
    }
  });
  if (!read) {
    return read;
  }
  if (is_full || read->lines >= nobody) {
    return Failure(fmt::format("more than {} recipients have no message: take the files one by one",
                               limits::known_addresses_max));
  }
  write("id,rcpt_id,rcpt,status,code,enhanced,text,stage,endpoint,ts\r\n");
  return read_outcome_files(files, [&](const OutcomeRecord& record, std::uint64_t number) {
    if (record.is_final && counting.find(OutcomeTally::key_of(record)) == number) {
      write(row_of(record));
    }
  });
}

}  // namespace ringpost::cli
