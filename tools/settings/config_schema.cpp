// The problem: an editor should know the keys that this version knows, and what they take. The
// idea: the schema is written from the rows that the reader of files goes by. Limits: it knows
// kinds and not forms, so a text that is no duration passes; the form stands in a comment.
#include "tools/settings/config_schema.h"

#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/process/wording.h"
#include "tools/settings/key_table.h"
#include "tools/settings/send_setting.h"
#include "tools/settings/serve_setting.h"

namespace ringpost::cli {

namespace {

std::string json_string(std::string_view text) {
  std::string out;
  codec::append_json_string(out, text);
  return out;
}

std::string_view value_schema(SettingKind kind) {
  switch (kind) {
    case SettingKind::text:
      return R"("type":"string")";
    case SettingKind::number:
      return R"("type":["number","string","boolean"])";
    case SettingKind::boolean:
      return R"("type":"boolean")";
    case SettingKind::text_list:
      return R"("type":["string","array"],"items":{"type":"string"},"minItems":1)";
    case SettingKind::number_list:
    case SettingKind::rate_list:
      return R"("type":["number","string","array"],"items":{"type":["number","string"]},)"
             R"("minItems":1)";
  }
  RP_ASSERT(false);
}

std::string default_text(std::string_view usual, SettingKind kind) {
  const bool is_bare = kind == SettingKind::boolean ||
                       (kind == SettingKind::number &&
                        usual.find_first_not_of("0123456789") == std::string_view::npos);
  return is_bare ? std::string(usual) : json_string(usual);
}

std::string key_schema(std::string_view name, SettingKind kind, std::string_view help,
                       std::string_view type, std::string_view usual) {
  std::string out = fmt::format(R"({}:{{{},"description":{})", json_string(name),
                                value_schema(kind), json_string(help));
  if (!type.empty()) {
    out += fmt::format(R"(,"$comment":{})", json_string(type));
  }
  if (!usual.empty()) {
    out += fmt::format(R"(,"default":{})", default_text(usual, kind));
  }
  return out + "}";
}

std::string section_schema(const std::vector<std::string>& keys) {
  return fmt::format(R"({{"type":"object","additionalProperties":false,"properties":{{
{}
}}}})",
                     joined(keys, ",\n"));
}

std::vector<std::string> keys_of(const Section& section) {
  std::vector<std::string> keys;
  for (const SectionKey& key : section.keys) {
    keys.push_back(key_schema(key.name, key.kind, key.help, key.type, key.show({})));
  }
  return keys;
}

// "listen" with all its lists, and "serve" with its own keys and lists.
std::string group_schemas() {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const Section& section : serve_sections()) {
    const std::string name(section.name.substr(0, section.name.find('.')));
    if (groups.empty() || groups.back().first != name) {
      groups.push_back({name, {}});
    }
    std::vector<std::string>& members = groups.back().second;
    std::vector<std::string> keys = keys_of(section);
    if (section.name == name) {
      members.insert(members.end(), keys.begin(), keys.end());
    } else {
      members.push_back(fmt::format(R"({}:{{"type":"array","items":{}}})",
                                    json_string(section.name.substr(name.size() + 1)),
                                    section_schema(keys)));
    }
  }
  std::string out;
  for (const auto& [name, members] : groups) {
    out += fmt::format(",\n{}:{}", json_string(name), section_schema(members));
  }
  return out;
}

}  // namespace

std::string configuration_schema() {
  std::vector<std::string> endpoint;
  for (const EndpointKey& key : endpoint_keys()) {
    if (key.apply != nullptr) {
      endpoint.push_back(key_schema(key.name, key.kind, key.help, key.type, key.show({})));
    }
  }
  endpoint.push_back(
      R"("reply":{"type":"array","description":"What refusals are about, and what is done",)"
      R"("items":{"type":"object","required":["text","scope","action"]}})");
  std::vector<std::string> send;
  for (const SendKey& key : send_keys()) {
    if (key.in_file) {
      const std::string usual =
          key.of_endpoint != nullptr ? key.of_endpoint->show({}) : std::string(key.usual_text);
      send.push_back(key_schema(key.name, key.kind, key.help, key.type, usual));
    }
  }
  return fmt::format(R"({{"$schema":"https://json-schema.org/draft/2020-12/schema",
"title":"ringpost.toml","type":"object","additionalProperties":false,"properties":{{
"send":{},
"endpoint":{{"type":"object","additionalProperties":{}}}{}
}}}}
)",
                     section_schema(send), section_schema(endpoint), group_schemas());
}

}  // namespace ringpost::cli
