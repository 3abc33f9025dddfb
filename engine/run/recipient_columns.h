// What the columns of a table of recipients are for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/run/table_header.h"
#include <ringpost/base.h>

namespace ringpost::run {

enum class ColumnRole : std::uint8_t {
  nothing,  // it has no name
  value,    // of the template, by its name
  email,    // a value as well, as the next two are
  name,
  id,
  metadata,  // `metadata.x`
  header,    // `header.X-Foo`, `headers.X-Foo`
};

struct RecipientColumn {
  ColumnRole role = ColumnRole::value;
  std::string key;        // of the value within its group, or what is behind the role's prefix
  std::size_t group = 0;  // of a value: see RecipientColumns::groups
};

// `city.name` is a value `name` of a group `city`, as templates have it.
struct ColumnGroup {
  std::size_t parent = 0;  // stands in front of it
  std::string key;
};

// Of one header row. Immutable.
struct RecipientColumns {
  std::vector<RecipientColumn> columns;
  std::vector<ColumnGroup> groups;  // the first is the whole row
  std::vector<std::string> names;   // of values, dotted, in the order of the columns
  std::size_t email = 0;            // the column of addresses
  std::string email_name;           // what it is called

  // An error is a sentence without the file's name: there is no column of addresses, or two are the
  // same.
  [[nodiscard]] static Result<RecipientColumns, std::string> read(const TableHeader& header);
  [[nodiscard]] bool has(ColumnRole role) const;
};

// Whether a column, or a member of an object, holds addresses: email, e-mail, email_address,
// address, whatever their case.
[[nodiscard]] bool is_address_name(Bytes name);

}  // namespace ringpost::run
