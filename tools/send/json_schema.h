// Pieces of a JSON Schema as text: what both schemas are made of.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::cli {

// JSON, complete; an empty one stands for what is left out.
using Json = std::string;

struct SchemaMember {
  std::string name;
  Json value;
};
using SchemaMembers = std::vector<SchemaMember>;

[[nodiscard]] Json json_text(std::string_view text);
// Nothing for 0, which stands for no bound.
[[nodiscard]] Json json_bound(std::size_t bound);
[[nodiscard]] Json json_list(const std::vector<Json>& elements);
[[nodiscard]] Json json_names(const std::vector<std::string_view>& names);
[[nodiscard]] Json json_object(const SchemaMembers& members);
// The same with a line for each member.
[[nodiscard]] Json json_lines(const SchemaMembers& members);
// {"$ref":"#/$defs/NAME"}
[[nodiscard]] Json reference_to(std::string_view name);
// A regular expression (ECMA-262) for a word whatever its case; its letters are ASCII.
[[nodiscard]] std::string in_any_case(std::string_view word);
// The same for one of several, anchored at both ends.
[[nodiscard]] std::string one_of(const std::vector<Bytes>& words);

}  // namespace ringpost::cli
