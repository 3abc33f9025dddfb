// The `tag=value; tag=value` of DKIM and DMARC records (RFC 6376 3.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::cli {

struct Tag {
  std::string name;
  std::string value;  // without the white space around it

  bool operator==(const Tag&) const = default;
};

// In their order. An error says in words what is wrong: a tag without `=`, a name that is none, a
// tag that comes twice.
[[nodiscard]] Result<std::vector<Tag>, std::string> parse_tags(Bytes text);

// The value of a tag; null: there is none of that name, case counts (RFC 6376 3.2).
[[nodiscard]] const std::string* find_tag(const std::vector<Tag>& tags, std::string_view name);

}  // namespace ringpost::cli
