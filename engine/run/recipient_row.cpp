// Problem: a recipient is a row of cells or an object, and both mean the same.
//
// Idea: either becomes a tree of values by name, the address, and a few things that are not values.
// An empty cell is no value: it is missing, so that a template's default can stand in.
//
// Limits: values of a table are texts; who wants numbers, lists or sections over them writes JSONL.
#include "engine/run/recipient_row.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "codec/text/shown_text.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

using codec::MergeData;
using Kind = MergeData::Kind;

Bytes without_outer_spaces(Bytes text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == Bytes::npos ? Bytes()
                              : text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

bool has_control(Bytes text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
}

Result<void, std::string> check_octets(Bytes row) {
  if (!codec::is_utf8(row)) {
    return Failure(
        std::string("the row is not UTF-8; save the file as UTF-8 (in Excel: \"CSV UTF-8\")"));
  }
  if (row.find('\0') != Bytes::npos) {
    return Failure(std::string("the row has a NUL octet, which no message may have"));
  }
  return {};
}

bool is_text(const MergeData& data, MergeData::Node node) {
  return data.kind(node) == Kind::string;
}

}  // namespace

void RecipientRow::clear() {
  mailbox_.clear();
  address_.clear();
  id_.clear();
  metadata_json_.clear();
  merge_.clear();
  headers_.clear();
}

// ---- Tables -------------------------------------------------------------------------------------

Result<void, std::string> RecipientRow::read_csv(Bytes row, const RecipientColumns& columns,
                                                 char delimiter) {
  clear();
  if (auto checked = check_octets(row); !checked) {
    return checked;
  }
  if (const auto read = record_.read(row, delimiter); !read) {
    const codec::CsvError& error = read.error();
    const std::string where = error.line == 0 ? "" : fmt::format(", {} lines below", error.line);
    return Failure(fmt::format("column {}{}: {}", error.field + 1, where, error.reason()));
  }
  const std::size_t count = columns.columns.size();
  if (columns.email < record_.size()) {
    address_.assign(record_[columns.email]);
  }
  if (record_.size() != count) {
    return Failure(fmt::format("the row has {} field{}, and the header has {}", record_.size(),
                               record_.size() == 1 ? "" : "s", count));
  }
  add_cells(columns);
  std::optional<Bytes> name;
  for (std::size_t i = 0; i < count; ++i) {
    if (columns.columns[i].role == ColumnRole::name && !record_[i].empty()) {
      name = without_outer_spaces(record_[i]);
    }
  }
  if (auto read = read_mailbox(record_[columns.email], columns.email_name, name); !read) {
    return read;
  }
  return check_labels();
}

void RecipientRow::add_cells(const RecipientColumns& columns) {
  group_nodes_.clear();
  group_nodes_.push_back(MergeData::root);
  for (std::size_t i = 1; i < columns.groups.size(); ++i) {
    const ColumnGroup& group = columns.groups[i];
    group_nodes_.push_back(merge_.add(group_nodes_[group.parent], group.key, Kind::object, {}));
  }
  for (std::size_t i = 0; i < columns.columns.size(); ++i) {
    const RecipientColumn& column = columns.columns[i];
    const Bytes cell = record_[i];
    switch (column.role) {
      case ColumnRole::nothing:
        break;
      case ColumnRole::metadata:
        add_metadata(column.key, cell);
        break;
      case ColumnRole::header:
        if (!cell.empty()) {
          codec::HeaderField& field = headers_.add();
          field.name.assign(column.key);
          field.value.assign(cell);
        }
        break;
      case ColumnRole::id:
        id_.assign(without_outer_spaces(cell));
        [[fallthrough]];
      case ColumnRole::email:
      case ColumnRole::name:
        // What stands in for it is the recipient's own, too.
        if (cell.empty()) {
          break;
        }
        [[fallthrough]];
      case ColumnRole::value:
        merge_.add(group_nodes_[column.group], column.key, cell.empty() ? Kind::null : Kind::string,
                   cell);
        break;
    }
  }
  metadata_json_ += metadata_json_.empty() ? "" : "}";
}

void RecipientRow::add_metadata(Bytes key, Bytes cell) {
  metadata_json_ += metadata_json_.empty() ? "{" : ",";
  codec::append_json_string(metadata_json_, key);
  metadata_json_ += ':';
  if (cell.empty()) {
    metadata_json_ += "null";
  } else {
    codec::append_json_string(metadata_json_, cell);
  }
}

// ---- JSONL --------------------------------------------------------------------------------------

Result<void, std::string> RecipientRow::read_json(Bytes row) {
  clear();
  if (auto checked = check_octets(row); !checked) {
    return checked;
  }
  row = without_outer_spaces(row.substr(0, row.ends_with('\r') ? row.size() - 1 : row.size()));
  if (row.starts_with('"')) {
    wrapped_.assign("{\"email\":");
    wrapped_ += row;
    wrapped_ += '}';
    row = wrapped_;
  }
  if (auto read = json_.read(row, object_); !read) {
    return read;
  }
  return read_members();
}

Result<void, std::string> RecipientRow::read_members() {
  Node email = MergeData::none;
  std::optional<Bytes> name;
  // What stands in `merge` has the first word.
  if (const Node merge = object_.find(MergeData::root, "merge"); merge != MergeData::none) {
    if (object_.kind(merge) != Kind::object) {
      return Failure(std::string("merge: must be an object"));
    }
    for (Node one = object_.first(merge); one != MergeData::none; one = object_.next(one)) {
      write_.copy(object_, one, merge_, MergeData::root, object_.key(one));
    }
  }
  for (Node one = object_.first(MergeData::root); one != MergeData::none; one = object_.next(one)) {
    const Bytes key = object_.key(one);
    if (email == MergeData::none && is_address_name(key)) {
      email = one;
    }
    if (key == "name" && is_text(object_, one)) {
      name = object_.text(one);
    }
    if (auto read = read_member(one); !read) {
      return read;
    }
  }
  if (email == MergeData::none || !is_text(object_, email)) {
    return Failure(
        std::string(email == MergeData::none ? "email: is missing" : "email: must be a string"));
  }
  const Bytes key = object_.key(email);
  address_.assign(object_.text(email));
  if (auto read = read_mailbox(object_.text(email), key, name); !read) {
    return read;
  }
  return check_labels();
}

Result<void, std::string> RecipientRow::read_member(Node member) {
  const Bytes key = object_.key(member);
  const Kind kind = object_.kind(member);
  if (key == "merge") {
    return {};
  }
  if (key == "headers") {
    return read_headers(member);
  }
  if (key == "metadata") {
    if (kind != Kind::object) {
      return Failure(std::string("metadata: must be an object"));
    }
    write_.append_json(object_, member, metadata_json_);
    return {};
  }
  if (key == "id") {
    const bool is_label =
        kind == Kind::string ||
        (kind == Kind::number && object_.text(member).find_first_of(".eE") == Bytes::npos);
    if (!is_label && kind != Kind::null) {
      return Failure(std::string("id: must be a string or a whole number"));
    }
    id_.assign(object_.text(member));
  }
  if (merge_.find(MergeData::root, key) == MergeData::none) {
    write_.copy(object_, member, merge_, MergeData::root, key);
  }
  return {};
}

Result<void, std::string> RecipientRow::read_headers(Node headers) {
  if (object_.kind(headers) != Kind::object) {
    return Failure(std::string("headers: must be an object"));
  }
  for (Node one = object_.first(headers); one != MergeData::none; one = object_.next(one)) {
    if (object_.kind(one) != Kind::list) {
      if (auto read = read_header(one, object_.key(one)); !read) {
        return read;
      }
      continue;
    }
    for (Node value = object_.first(one); value != MergeData::none; value = object_.next(value)) {
      if (auto read = read_header(value, object_.key(one)); !read) {
        return read;
      }
    }
  }
  return {};
}

Result<void, std::string> RecipientRow::read_header(Node value, Bytes name) {
  if (!is_text(object_, value)) {
    return Failure(
        fmt::format("headers.{}: must be a string or a list of strings", codec::printable(name)));
  }
  if (headers_.size() >= limits::job_header_fields_max) {
    return Failure(fmt::format("headers: has more than {} fields", limits::job_header_fields_max));
  }
  codec::HeaderField& field = headers_.add();
  field.name.assign(name);
  field.value.assign(object_.text(value));
  return {};
}

// ---- Both ---------------------------------------------------------------------------------------

Result<void, std::string> RecipientRow::read_mailbox(Bytes text, Bytes place,
                                                     std::optional<Bytes> name) {
  if (const auto parsed = codec::parse_mailbox(text, mailbox_); !parsed) {
    const std::string who = text.empty() ? "" : codec::in_quotes(text) + ": ";
    return Failure(fmt::format("{}: {}{}", codec::printable(place), who,
                               codec::describe(parsed.error(), text)));
  }
  address_.assign(mailbox_.address);
  if (!name || name->empty()) {
    return {};
  }
  if (const auto valid = codec::validate_display_name(*name); !valid) {
    return Failure(fmt::format("name: {}", codec::describe(valid.error(), *name)));
  }
  mailbox_.name.assign(*name);
  return {};
}

Result<void, std::string> RecipientRow::check_labels() const {
  if (id_.size() > limits::job_id_bytes_max) {
    return Failure(fmt::format("id: is longer than {} octets: it has {}", limits::job_id_bytes_max,
                               id_.size()));
  }
  if (has_control(id_)) {
    return Failure(std::string("id: has a control character"));
  }
  if (metadata_json_.size() > limits::job_echo_bytes_max) {
    return Failure(fmt::format("metadata: is longer than {} octets", limits::job_echo_bytes_max));
  }
  return {};
}

}  // namespace ringpost::run
