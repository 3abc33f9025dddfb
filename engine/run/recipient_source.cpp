// Problem: ten million recipients are rows of a file, and one message; a mistake in the template or
// in the header row concerns all of them, and one in a row that row alone.
//
// Idea: what all share is looked at when the source is opened, before anything is sent; a row is a
// message as a job line is one, with an ordinal, a hash and an outcome whatever stands in it.
//
// Limits: JSONL has no header row, so what its objects lack shows row by row.
#include "engine/run/recipient_source.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "codec/journal/journal_record.h"
#include "codec/journal/line_hash.h"
#include "codec/text/shown_text.h"
#include "codec/text/spelling.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

std::string shown_file(Bytes file) { return file == "-" ? "stdin" : std::string(file); }

codec::LineHash joined_hash(const codec::LineHash& row, const codec::LineHash& message) {
  const std::array<std::uint64_t, 4> both = {row.high, row.low, message.high, message.low};
  return codec::hash_line(Bytes(reinterpret_cast<const char*>(both.data()), sizeof both));
}

// Whether a value of that name, dotted as templates have it, is in the tree.
bool has_value(const codec::MergeData& data, Bytes name) {
  codec::MergeData::Node node = codec::MergeData::root;
  while (node != codec::MergeData::none) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    node = data.find(node, name.substr(0, dot));
    if (dot == name.size()) {
      return node != codec::MergeData::none;
    }
    name.remove_prefix(dot + 1);
  }
  return false;
}

// As much of an address that is none as an outcome line should have.
void add_unchecked(Message& message, Bytes address) {
  std::string shown(codec::utf8_prefix(address.substr(0, codec::valid_utf8_prefix(address)),
                                       limits::mailbox_bytes_max));
  std::replace_if(
      shown.begin(), shown.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  if (!shown.empty()) {
    message.recipients.add(shown);
  }
}

}  // namespace

RecipientSource::RecipientSource(JobInput input, RecipientSourceOptions options)
    : input_(std::move(input)), options_(std::move(options)) {
  for (std::size_t i = 0; i < input_.readers(); ++i) {
    readers_.push_back(std::make_unique<Reader>());
  }
}

Result<std::unique_ptr<RecipientSource>, std::string> RecipientSource::open(
    JobInput input, const std::vector<std::string>& files, RecipientSourceOptions options) {
  std::unique_ptr<RecipientSource> source(
      new RecipientSource(std::move(input), std::move(options)));
  if (auto read = source->read_columns(files); !read) {
    return Failure(std::move(read.error()));
  }
  return source;
}

void RecipientSource::begin(codec::MessageTemplatePtr message, bool hashes_lines) {
  options_.message = std::move(message);
  options_.hashes_lines = hashes_lines;
}

// ---- What all rows share ------------------------------------------------------------------------

Result<void, std::string> RecipientSource::read_columns(const std::vector<std::string>& files) {
  const std::vector<TableHeader>& headers = input_.headers();
  for (std::size_t i = 0; i < headers.size(); ++i) {
    columns_.emplace_back();
    if (headers[i].form == TableHeader::Form::jsonl) {
      continue;
    }
    const std::string file = i < files.size() ? shown_file(files[i]) : "stdin";
    if (headers[i].row.empty()) {
      return Failure(file +
                     ": it is empty: a header row with the names of its columns has to "
                     "stand in front");
    }
    auto columns = RecipientColumns::read(headers[i]);
    if (!columns) {
      return Failure(fmt::format("{}:{}", file, columns.error()));
    }
    if (auto checked = check_columns(*columns); !checked) {
      return Failure(fmt::format("{}:{}: {}", file, headers[i].line, checked.error()));
    }
    columns_.back() = std::move(*columns);
  }
  return {};
}

Result<void, std::string> RecipientSource::check_columns(const RecipientColumns& columns) const {
  if (options_.may_lack_values) {
    return {};
  }
  std::vector<std::string_view> known(columns.names.begin(), columns.names.end());
  known.insert(known.end(), {"email", "name", "id"});
  std::string missing;
  for (const std::string& name : options_.message->required_names()) {
    // Each recipient has an address, and an id, if it is a hash of his row.
    const bool is_there =
        std::find(columns.names.begin(), columns.names.end(), name) != columns.names.end() ||
        name == "email" || name == "id" || has_value(options_.shared, name) ||
        (name == "name" && columns.has(ColumnRole::name));
    if (is_there) {
      continue;
    }
    const std::string_view nearest = codec::nearest_word(name, known);
    missing += fmt::format("{}{}{}", missing.empty() ? "" : ", ", codec::in_quotes(name),
                           nearest.empty() || nearest == name
                               ? std::string()
                               : fmt::format(" (did you mean \"{}\"?)", nearest));
  }
  if (missing.empty()) {
    return {};
  }
  std::string names;
  for (const std::string& name : columns.names) {
    names += (names.empty() ? "" : ", ") + name;
  }
  return Failure(fmt::format(
      "the template asks for {}, of which there is no column; the columns are: {}. Give a default "
      "in the template ({{{{name|default:\"friend\"}}}}), a value for all by --set, or "
      "--missing empty",
      missing, codec::printable(names)));
}

// ---- Row by row ---------------------------------------------------------------------------------

JobSource::Pull RecipientSource::pull(Message& message, std::size_t reader) {
  Reader& self = *readers_[reader];
  JobInput::Line line;
  const auto next = input_.next(line, reader);
  if (!next) {
    self.words = next.error().message;
    return Pull::trouble;
  }
  if (!*next) {
    return Pull::end;
  }
  message.origin.file = line.file;
  message.origin.line = line.number;
  // No journal takes the last ordinal of all, so that a file with too many rows ends its run.
  message.origin.ordinal =
      line.index < limits::journal_jobs_max
          ? codec::job_ordinal(line.source, static_cast<std::uint32_t>(line.index))
          : std::numeric_limits<std::uint64_t>::max();
  if (const auto filled = fill(line, self, message); !filled) {
    self.words = fmt::format("{}:{}: {}", shown_file(line.file), line.number, filled.error());
    return Pull::refused;
  }
  return Pull::message;
}

Result<void, std::string> RecipientSource::fill(const JobInput::Line& line, Reader& reader,
                                                Message& message) const {
  const codec::LineHash row_hash = codec::hash_line(line.text);
  const codec::LineHash hash = joined_hash(row_hash, options_.message->identity());
  if (options_.hashes_lines) {
    message.origin.line_hash = hash.high;
  }
  RecipientRow& row = reader.row;
  const auto read = read_row(line, row);
  message.metadata_json.assign(row.metadata_json());
  if (line.too_long) {
    message.id = "line-" + std::to_string(line.number);
  } else if (row.id().empty() || row.id().size() > limits::job_id_bytes_max) {
    codec::append_hex(message.id, hash);
  } else {
    message.id.assign(row.id());
  }
  if (!read) {
    add_unchecked(message, row.address());
    return read;
  }
  codec::TemplateRecipient recipient;
  recipient.mailbox = &row.mailbox();
  recipient.to = options_.instead;
  recipient.id = message.id;
  recipient.merge = &row.merge();
  recipient.headers = row.headers();
  recipient.identity =
      options_.instead.empty() ? row_hash : joined_hash(row_hash, {options_.moment, 0});
  if (const auto written = reader.writer.write(*options_.message, recipient, message); !written) {
    return Failure(written.error().message());
  }
  return {};
}

Result<void, std::string> RecipientSource::read_row(const JobInput::Line& line,
                                                    RecipientRow& row) const {
  if (line.too_long) {
    row.clear();
    return Failure(
        fmt::format("the row is longer than {} octets, the most that one may have; is "
                    "there a quote that nobody closes?",
                    limits::recipient_row_bytes_max));
  }
  const TableHeader& header = input_.headers()[line.source];
  return header.form == TableHeader::Form::jsonl
             ? row.read_json(line.text)
             : row.read_csv(line.text, columns_[line.source], header.delimiter);
}

std::optional<UnreadJobs> RecipientSource::unread(Instant give_up_at) {
  UnreadLines lines = input_.unread(give_up_at);
  if (lines.count == std::optional<std::uint64_t>(0)) {
    return std::nullopt;
  }
  return UnreadJobs{lines.count, std::move(lines.from), lines.are_in_one_piece};
}

}  // namespace ringpost::run
