// The problem: outcome lines are kept for years and come from other versions of this program, cut
// off and mended by hand. The idea: what a report needs is taken by name, and nothing else is
// asked for. Limits: a number that is none counts as not there.
#include "tools/report/outcome_record.h"

#include <charconv>
#include <cstddef>

#include <fmt/format.h>

#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

using codec::MergeData;

constexpr std::size_t words_bytes_max = 160;

Bytes member(const MergeData& data, MergeData::Node object, Bytes name) {
  const MergeData::Node node = object == MergeData::none ? object : data.find(object, name);
  return node == MergeData::none ? Bytes() : data.text(node);
}

template <typename Number>
Number number_of(Bytes text, Number otherwise) {
  Number number = otherwise;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : otherwise;
}

bool read_status(Bytes name, Status& status) {
  for (std::size_t i = 0; i < status_count; ++i) {
    if (name == name_of(static_cast<Status>(i))) {
      status = static_cast<Status>(i);
      return true;
    }
  }
  return false;
}

}  // namespace

Result<OutcomeRecord, std::string> read_outcome_record(const MergeData& line) {
  OutcomeRecord record;
  const auto text = [&line](Bytes name) { return member(line, MergeData::root, name); };
  record.id = text("id");
  const Bytes status = text("status");
  if (record.id.empty() || status.empty()) {
    return Failure(
        fmt::format("no outcome line: \"{}\" is missing", record.id.empty() ? "id" : "status"));
  }
  if (!read_status(status, record.status)) {
    return Failure(fmt::format("no status of this version: {}", in_quotes(status)));
  }
  record.recipient_id = text("rcpt_id");
  record.recipient = text("rcpt");
  record.stage = text("stage");
  record.code = number_of<std::uint16_t>(text("code"), 0);
  record.enhanced = text("enhanced");
  record.text = text("text");
  record.reason = text("reason");
  record.endpoint = text("endpoint");
  record.timestamp = text("ts");
  record.submit_ms =
      number_of<double>(member(line, line.find(MergeData::root, "ms"), "submit"), -1);
  record.bytes = number_of<std::uint64_t>(text("bytes"), 0);
  record.is_final = text("final") != "false";
  return record;
}

std::string words_of(const OutcomeRecord& record) {
  std::string words = record.code != 0 ? fmt::format("{} ", record.code) : std::string();
  if (record.code != 0 && !record.enhanced.empty()) {
    words += fmt::format("{} ", record.enhanced);
  }
  Bytes said = record.code != 0 ? record.text : record.reason;
  if (record.status == Status::invalid) {
    // `file:line: field: why`: the same mistake in another line is the same.
    const std::size_t place_end = said.find(": ");
    said.remove_prefix(place_end == Bytes::npos ? 0 : place_end + 2);
  }
  words += printable(said.substr(0, words_bytes_max));
  return words;
}

}  // namespace ringpost::cli
