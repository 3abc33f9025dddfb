// Problem: what the columns of a file are has to be known before anything is sent, of files and of
// pipes, and the rows behind are read by somebody else, by the block.
//
// Idea: the front of the source is read until the first row is whole, and what is behind it is put
// back. Excel's hint in front of the header (`sep=;`) is obeyed; a byte order mark is dropped.
//
// Limits: UTF-8. A file in UTF-16 is told by its mark, another code page by what is not UTF-8.
#include "engine/run/table_header.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "codec/text/csv_record.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

using Form = TableHeader::Form;

constexpr std::size_t piece_bytes = 16u << 10;

bool ends_with_ending(std::string_view name, std::string_view ending) {
  const auto equal = [](char left, char right) {
    return (left >= 'A' && left <= 'Z' ? left + ('a' - 'A') : left) == right;
  };
  return name.size() > ending.size() &&
         std::equal(ending.begin(), ending.end(),
                    name.end() - static_cast<std::ptrdiff_t>(ending.size()),
                    [&](char want, char has) { return equal(has, want); });
}

std::optional<Form> form_of_name(std::string_view name) {
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (ends_with_ending(name, packed)) {
      name.remove_suffix(packed.size());
      break;
    }
  }
  for (const std::string_view ending : {".csv", ".tsv"}) {
    if (ends_with_ending(name, ending)) {
      return Form::csv;
    }
  }
  for (const std::string_view ending : {".jsonl", ".ndjson", ".json"}) {
    if (ends_with_ending(name, ending)) {
      return Form::jsonl;
    }
  }
  return std::nullopt;
}

// The front of a source, as far as it was read.
struct Front {
  ByteSource& source;
  std::string octets;
  bool is_end = false;

  [[nodiscard]] Result<void, std::string> read_more() {
    const std::size_t before = octets.size();
    octets.resize(before + piece_bytes);
    const auto got = source.read(std::span(octets).subspan(before));
    octets.resize(before + (got ? got->bytes : 0));
    if (!got) {
      return Failure(got.error());
    }
    if (got->stopped) {
      return Failure(std::string("stopped before its header row was read"));
    }
    is_end = got->end;
    return {};
  }
};

// `sep=;` on a line of its own: what Excel writes in front of a header.
std::optional<char> hint_of(Bytes row) {
  constexpr Bytes begin = "sep=";
  const bool is_hint = row.size() == begin.size() + 1 && row.starts_with(begin);
  return is_hint ? std::optional(row.back()) : std::nullopt;
}

// The first row that is not blank, from `at` on; the offset behind it.
Result<std::size_t, std::string> read_row(Front& front, std::size_t at, char delimiter,
                                          TableHeader& header) {
  codec::CsvCut cut;
  cut.begin(delimiter);
  std::size_t searched = at;
  while (true) {
    const std::size_t found = cut.find_end(Bytes(front.octets).substr(searched));
    if (found == Bytes::npos && !front.is_end) {
      searched = front.octets.size();
      if (searched - at > limits::table_header_bytes_max) {
        return Failure(
            fmt::format("its header row is longer than {} octets; is there a quote that "
                        "nobody closes?",
                        limits::table_header_bytes_max));
      }
      if (auto more = front.read_more(); !more) {
        return Failure(std::move(more.error()));
      }
      continue;
    }
    const bool is_last = found == Bytes::npos;
    const std::size_t end = is_last ? front.octets.size() : searched + found;
    header.line = header.lines + 1;
    header.lines += 1 + cut.inner_lines();
    const Bytes row = Bytes(front.octets).substr(at, end - at);
    const std::size_t behind = is_last ? end : end + 1;
    if (row.find_first_not_of(" \t\r") != Bytes::npos || is_last) {
      header.row.assign(row.substr(0, row.ends_with('\r') ? row.size() - 1 : row.size()));
      return behind;
    }
    at = searched = behind;
  }
}

Result<std::size_t, std::string> read_csv_header(Front& front, std::size_t at, char delimiter,
                                                 TableHeader& header) {
  auto behind = read_row(front, at, delimiter, header);
  if (!behind) {
    return behind;
  }
  if (const auto hint = hint_of(header.row)) {
    delimiter = delimiter != '\0' ? delimiter : *hint;
    behind = read_row(front, *behind, delimiter, header);
  }
  if (!behind) {
    return behind;
  }
  header.delimiter = delimiter != '\0' ? delimiter : codec::find_csv_delimiter(header.row);
  return behind;
}

}  // namespace

Result<TableHeader, std::string> read_table_header(ByteSource& source, char delimiter) {
  Front front{source, {}};
  constexpr std::size_t mark_bytes = 3;
  while (!front.is_end && front.octets.size() < mark_bytes) {
    if (auto more = front.read_more(); !more) {
      return Failure(std::move(more.error()));
    }
  }
  if (front.octets.starts_with("\xff\xfe") || front.octets.starts_with("\xfe\xff")) {
    return Failure(std::string("it is UTF-16; save it as UTF-8 (in Excel: \"CSV UTF-8\")"));
  }
  std::size_t at = front.octets.starts_with(codec::byte_order_mark) ? mark_bytes : 0;
  TableHeader header;
  const std::size_t first = front.octets.find_first_not_of(" \t\r\n", at);
  const bool is_object = first != std::string::npos && front.octets[first] == '{';
  header.form = form_of_name(source.name()).value_or(is_object ? Form::jsonl : Form::csv);
  if (header.form == Form::csv) {
    auto behind = read_csv_header(front, at, delimiter, header);
    if (!behind) {
      return Failure(std::move(behind.error()));
    }
    at = *behind;
    if (!codec::is_utf8(header.row)) {
      return Failure(
          std::string("its header row is not UTF-8; save it as UTF-8 (in Excel: \"CSV "
                      "UTF-8\")"));
    }
  }
  source.put_back(front.octets.substr(at));
  return header;
}

}  // namespace ringpost::run
