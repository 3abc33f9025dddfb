// Problem: tables come out of other programs, whose columns are called as these like it. Idea: a
// few names are known whatever their case, two prefixes say that a column is no value, and all
// others are values by their own name. Limits: names with dots are groups, so `a` and `a.b` cannot
// both be there.
#include "engine/run/recipient_columns.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/csv_record.h"
#include "codec/text/shown_text.h"
#include "codec/text/spelling.h"
#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

constexpr std::array<std::string_view, 4> address_names = {"email", "e-mail", "email_address",
                                                           "address"};

Bytes trimmed_name(Bytes name) {
  const std::size_t begin = name.find_first_not_of(" \t");
  if (begin == Bytes::npos) {
    return {};
  }
  return name.substr(begin, name.find_last_not_of(" \t") + 1 - begin);
}

// What is behind the prefix; nothing where it is another.
std::optional<Bytes> behind_prefix(Bytes name, std::string_view prefix) {
  const bool is_it = name.size() > prefix.size() &&
                     codec::equal_without_case(name.substr(0, prefix.size()), prefix);
  return is_it ? std::optional(name.substr(prefix.size())) : std::nullopt;
}

RecipientColumn column_of(Bytes name) {
  if (name.empty()) {
    return {ColumnRole::nothing, {}, 0};
  }
  for (const std::string_view prefix : {"header.", "headers."}) {
    if (const auto field = behind_prefix(name, prefix)) {
      return {ColumnRole::header, std::string(*field), 0};
    }
  }
  if (const auto key = behind_prefix(name, "metadata.")) {
    return {ColumnRole::metadata, std::string(*key), 0};
  }
  const ColumnRole role = codec::equal_without_case(name, "name") ? ColumnRole::name
                          : codec::equal_without_case(name, "id") ? ColumnRole::id
                                                                  : ColumnRole::value;
  return {role, std::string(name), 0};
}

// Of the addresses: `email` rather than `address`, which may be a street where both are there.
std::optional<std::size_t> find_email(const std::vector<std::string>& names) {
  for (const std::string_view wanted : address_names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (codec::equal_without_case(names[i], wanted)) {
        return i;
      }
    }
  }
  return std::nullopt;
}

std::size_t group_of(RecipientColumns& columns, std::size_t parent, Bytes key) {
  for (std::size_t i = 1; i < columns.groups.size(); ++i) {
    if (columns.groups[i].parent == parent && columns.groups[i].key == key) {
      return i;
    }
  }
  columns.groups.push_back({parent, std::string(key)});
  return columns.groups.size() - 1;
}

// Names of groups in front of the last dot. A dot at either end is no group's.
void settle_group(RecipientColumns& columns, RecipientColumn& column) {
  const std::string name = column.key;
  const bool is_plain =
      name.starts_with('.') || name.ends_with('.') || name.find("..") != std::string::npos;
  std::size_t begin = 0;
  for (std::size_t dot = name.find('.'); !is_plain && dot != std::string::npos;
       dot = name.find('.', begin)) {
    column.group = group_of(columns, column.group, Bytes(name).substr(begin, dot - begin));
    begin = dot + 1;
  }
  column.key = name.substr(begin);
}

Result<std::vector<std::string>, std::string> names_of_row(const TableHeader& header) {
  codec::CsvRecord record;
  if (const auto read = record.read(header.row, header.delimiter); !read) {
    return Failure(fmt::format("{}: column {} of the header row: {}", header.line,
                               read.error().field + 1, read.error().reason()));
  }
  if (record.size() > limits::recipient_columns_max) {
    return Failure(fmt::format("{}: the header row has more than {} columns", header.line,
                               limits::recipient_columns_max));
  }
  std::vector<std::string> names;
  std::set<std::string> known;
  for (std::size_t i = 0; i < record.size(); ++i) {
    names.emplace_back(trimmed_name(record[i]));
    if (!names.back().empty() && !known.insert(names.back()).second) {
      return Failure(fmt::format("{}: two columns are called {}", header.line,
                                 codec::in_quotes(names.back())));
    }
  }
  return names;
}

// Nothing else can be both a value and a group.
std::optional<std::string> find_conflict(const RecipientColumns& columns) {
  for (const RecipientColumn& column : columns.columns) {
    for (std::size_t i = 1; i < columns.groups.size(); ++i) {
      const ColumnGroup& group = columns.groups[i];
      if (column.role != ColumnRole::nothing && column.role != ColumnRole::header &&
          column.role != ColumnRole::metadata && column.group == group.parent &&
          column.key == group.key) {
        return column.key;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

bool RecipientColumns::has(ColumnRole role) const {
  return std::any_of(columns.begin(), columns.end(),
                     [role](const RecipientColumn& column) { return column.role == role; });
}

bool is_address_name(Bytes name) {
  return std::any_of(address_names.begin(), address_names.end(), [name](std::string_view known) {
    return codec::equal_without_case(known, name);
  });
}

Result<RecipientColumns, std::string> RecipientColumns::read(const TableHeader& header) {
  auto names = names_of_row(header);
  if (!names) {
    return Failure(std::move(names.error()));
  }
  const auto email = find_email(*names);
  if (!email) {
    const std::string_view hint =
        header.row.find('@') != std::string::npos
            ? " (the first row seems to be a recipient: a header row has to stand in front)"
            : "";
    return Failure(fmt::format("{}: no column is called email{}; the columns are: {}", header.line,
                               hint, codec::printable(header.row)));
  }
  RecipientColumns columns;
  columns.email = *email;
  columns.email_name = (*names)[*email];
  columns.groups.push_back({});
  for (std::size_t i = 0; i < names->size(); ++i) {
    RecipientColumn column = column_of((*names)[i]);
    column.role = i == *email ? ColumnRole::email : column.role;
    const bool is_value = column.role != ColumnRole::nothing &&
                          column.role != ColumnRole::metadata && column.role != ColumnRole::header;
    if (is_value) {
      columns.names.push_back(column.key);
      settle_group(columns, column);
    }
    columns.columns.push_back(std::move(column));
  }
  if (const auto both = find_conflict(columns)) {
    return Failure(
        fmt::format("{}: {} is a column and the begin of another one's name with a "
                    "dot; rename one of them",
                    header.line, codec::in_quotes(*both)));
  }
  return columns;
}

}  // namespace ringpost::run
