// The problem: whoever reads outcomes wants types for them and not a page of prose. The idea: names
// and help come from the rows that the writer goes by, the words of status and stage from where
// they are named, and each kind of value is said here once. Limits: what goes together, as a code
// with a text, is not said.
#include <fmt/format.h>

#include "codec/job/outcome_fields.h"
#include "tools/send/job_schema.h"
#include "tools/send/json_schema.h"
#include <ringpost/limits.h>
#include <ringpost/outcome.h>

namespace ringpost::cli {

namespace {

using codec::OutcomeRow;
using codec::OutcomeValue;

template <typename Word>
Json words_until(std::size_t count) {
  std::vector<std::string_view> words;
  for (std::size_t index = 0; index < count; ++index) {
    words.push_back(name_of(static_cast<Word>(index)));
  }
  return json_names(words);
}

Json durations_schema() {
  constexpr std::string_view milliseconds = R"({"type":"number","minimum":0})";
  return json_object({{"queue", Json(milliseconds)},
                      {"submit", Json(milliseconds)},
                      {"total", Json(milliseconds)}});
}

SchemaMembers outcome_value_schema(OutcomeValue value) {
  const Json string = R"("string")";
  switch (value) {
    case OutcomeValue::text:
      return {{"type", string}, {"minLength", "1"}};
    case OutcomeValue::words:
      return {{"type", string},
              {"minLength", "1"},
              {"maxLength", json_bound(limits::outcome_text_bytes_max)}};
    case OutcomeValue::recipient:
      return {{"type", R"(["string","null"])"}, {"minLength", "1"}};
    case OutcomeValue::status:
      return {{"enum", words_until<Status>(status_count)}};
    case OutcomeValue::stage:
      return {{"enum", words_until<Stage>(stage_count)}};
    case OutcomeValue::code:
      return {{"type", R"("integer")"}, {"minimum", "200"}, {"maximum", "599"}};
    case OutcomeValue::enhanced:
      return {{"type", string}, {"pattern", json_text(R"(^[245]\.[0-9]+\.[0-9]+$)")}};
    case OutcomeValue::count:
      return {{"type", R"("integer")"}, {"minimum", "0"}};
    case OutcomeValue::moment:
      return {{"type", string},
              {"format", R"("date-time")"},
              {"pattern",
               json_text(R"(^[0-9]{4}(?:-[0-9]{2}){2}T[0-9]{2}(?::[0-9]{2}){2}\.[0-9]{3}Z$)")}};
    case OutcomeValue::durations:
      return {{"type", R"("object")"},
              {"properties", durations_schema()},
              {"required", json_names({"queue", "submit", "total"})},
              {"additionalProperties", "false"}};
    case OutcomeValue::tags:
      return {{"type", R"(["string","array"])"}, {"items", json_object({{"type", string}})}};
    case OutcomeValue::json:
      return {};
    case OutcomeValue::not_final:
      return {{"const", "false"}};
  }
  RP_ASSERT(false);
}

}  // namespace

std::string outcome_schema() {
  SchemaMembers properties;
  std::vector<std::string_view> required;
  for (const OutcomeRow& row : codec::outcome_rows) {
    SchemaMembers members = {{"description", json_text(row.help)}};
    for (SchemaMember& member : outcome_value_schema(row.value)) {
      members.push_back(std::move(member));
    }
    properties.push_back({std::string(row.name()), json_object(members)});
    if (row.is_always_there) {
      required.push_back(row.name());
    }
  }
  return json_lines(
             {{"$schema", R"("https://json-schema.org/draft/2020-12/schema")"},
              {"title", R"("An outcome of ringpost")"},
              {"description", R"("One line of an outcome file: what became of one recipient")"},
              {"type", R"("object")"},
              {"properties", json_lines(properties)},
              {"required", json_names(required)},
              {"unevaluatedProperties", "false"}}) +
         "\n";
}

}  // namespace ringpost::cli
