// The problem: a schema is deep, and quotes within quotes hide mistakes. The idea: pieces of JSON
// are put together by functions, and what has no value is left out. Limits: names and patterns are
// ours, so nothing is checked.
#include "tools/send/json_schema.h"

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/json_text.h"

namespace ringpost::cli {

namespace {

Json members_between(const SchemaMembers& members, std::string_view separator) {
  Json json;
  for (const SchemaMember& member : members) {
    if (!member.value.empty()) {
      json += json.empty() ? "" : separator;
      json += json_text(member.name) + ":" + member.value;
    }
  }
  return json;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const std::string& part : parts) {
    text += &part == &parts.front() ? "" : separator;
    text += part;
  }
  return text;
}

}  // namespace

Json json_text(std::string_view text) {
  Json json;
  codec::append_json_string(json, text);
  return json;
}

Json json_bound(std::size_t bound) { return bound == 0 ? Json() : std::to_string(bound); }

Json json_list(const std::vector<Json>& elements) {
  return "[" + joined(elements, ",") + "]";
}

Json json_names(const std::vector<std::string_view>& names) {
  std::vector<Json> elements;
  for (const std::string_view name : names) {
    elements.push_back(json_text(name));
  }
  return json_list(elements);
}

Json json_object(const SchemaMembers& members) { return "{" + members_between(members, ",") + "}"; }

Json json_lines(const SchemaMembers& members) {
  return "{\n" + members_between(members, ",\n") + "\n}";
}

Json reference_to(std::string_view name) {
  return json_object({{"$ref", json_text(fmt::format("#/$defs/{}", name))}});
}

std::string in_any_case(std::string_view word) {
  std::string pattern;
  for (const char character : word) {
    const char small = codec::lower(character);
    if (small >= 'a' && small <= 'z') {
      pattern += {'[', static_cast<char>(small - 'a' + 'A'), small, ']'};
    } else {
      pattern += character;
    }
  }
  return pattern;
}

std::string one_of(const std::vector<Bytes>& words) {
  std::vector<std::string> patterns;
  for (const Bytes word : words) {
    patterns.push_back(in_any_case(word));
  }
  return "^(?:" + joined(patterns, "|") + ")$";
}

}  // namespace ringpost::cli
