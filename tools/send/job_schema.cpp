// The problem: whoever writes jobs by program wants to be told what is wrong before anything is
// sent, by the tools that he has. The idea: names, bounds, help and what excludes what come from
// the rows of codec/job/job_fields.h and the lists of codec/mail/field_rules.h, and each kind of
// value is said here once as a schema. Limits: a schema sees neither octets nor files nor what a
// text means, so it takes more than the reader does, and never less.
#include "tools/send/job_schema.h"

#include <array>
#include <cstdint>
#include <span>

#include <fmt/format.h>

#include "codec/job/job_fields.h"
#include "codec/mail/field_rules.h"
#include "tools/send/json_schema.h"
#include "tools/send/template_fields.h"
#include <ringpost/limits.h>

namespace ringpost::cli {

namespace {

using codec::FieldRow;
using codec::JobField;
using codec::JobValue;
using codec::name_of;

// ---- Patterns (ECMA-262, anchored) ------------------------------------------------------------

namespace pattern {

constexpr std::string_view no_nul = R"(^[^\u0000]*$)";
constexpr std::string_view no_controls = R"(^[^\u0000-\u001f\u007f]*$)";
constexpr std::string_view no_controls_but_tab = R"(^[^\u0000-\u0008\u000a-\u001f\u007f]*$)";
constexpr std::string_view no_outer_blanks = R"(^(?:[^ \t](?:[\s\S]*[^ \t])?)?$)";
constexpr std::string_view ascii_only = R"(^[\u0000-\u007f]*$)";
constexpr std::string_view printable = R"(^[ -~]*$)";
constexpr std::string_view base64_characters = R"(^[A-Za-z0-9+/= \t\r\n]*$)";
constexpr std::string_view null_sender = R"(^(?: *< *> *)?$)";
constexpr std::string_view message_id = R"(^<[^ ]*>$)";
constexpr std::string_view message_begin = R"(^[0-9A-Za-z][!-9;-~]*[ \t]*:)";
constexpr std::string_view tag = R"(\{\{)";
constexpr std::string_view field_name = "[!-9;-~]{1,75}$";
constexpr std::string_view content_id = R"(^(?:(?![<>()[\]\\",;:])[!-~])*$)";

// RFC 5322 3.4 and 3.2.4, as codec/mail/address.h takes them.
constexpr std::string_view quoted =
    R"("(?:[^"\\\u0000-\u001f\u007f-\u009f]|\\[^\u0000-\u001f\u007f-\u009f])*")";
constexpr std::string_view atom = R"([^\u0000- "(),.:;<>@[\\\]\u007f-\u009f]+)";
constexpr std::string_view phrase_character = R"([^\u0000-\u001f"(),:;<>@[\\\]\u007f-\u009f])";
constexpr std::string_view label = "[0-9A-Za-z]+(?:-+[0-9A-Za-z]+)*";
constexpr std::string_view address_literal = R"(\[[0-9A-Za-z.:]+\])";
// What IDNA may turn into a domain.
constexpr std::string_view unicode_domain =
    R"([^\u0000- "(),;<>@\\\u007f-\u009f]*[^\u0000-\u009f][^\u0000- "(),;<>@\\\u007f-\u009f]*)";

}  // namespace pattern

std::string address_pattern() {
  return fmt::format(R"((?:{0}(?:\.{0})*|{1})@(?:{2}(?:\.{2})*|{3}|{4}))", pattern::atom,
                     pattern::quoted, pattern::label, pattern::address_literal,
                     pattern::unicode_domain);
}

std::string mailbox_pattern() {
  return fmt::format("^ *(?:{0}|(?:{1}|{2})*< *{0} *>) *$", address_pattern(),
                     pattern::phrase_character, pattern::quoted);
}

std::string content_type_pattern() {
  constexpr std::string_view token = R"([!#$%&'*+.^_`{|}~0-9A-Za-z-]+)";
  return fmt::format(R"(^{0}/{0}(?: *; *{0}=(?:{0}|"(?:[ !#-[\]-~]|\\[ -~])*"))* *$)", token);
}

// "NEVER" or each of the words once at most.
std::string notify_pattern() {
  const std::string success = in_any_case("SUCCESS");
  const std::string failure = in_any_case("FAILURE");
  const std::string delay = in_any_case("DELAY");
  const std::string word = fmt::format("(?:{}|{}|{})", success, failure, delay);
  return fmt::format("^(?:{0}|(?!.*{1}.*{1})(?!.*{2}.*{2})(?!.*{3}.*{3}){4}(?:,{4})*)$",
                     in_any_case("NEVER"), success, failure, delay, word);
}

// ---- Values -----------------------------------------------------------------------------------

struct Bounds {
  std::size_t bytes_max = 0;
  std::size_t count_max = 0;
};

Json pattern_schema(std::string_view pattern) {
  return json_object({{"pattern", json_text(pattern)}});
}

// A character has one octet at least, so what has too many characters has too many octets.
SchemaMembers string_schema(std::string_view pattern, std::size_t length_min = 0,
                            std::size_t length_max = 0, Json type = R"("string")") {
  return {{"type", std::move(type)},
          {"minLength", json_bound(length_min)},
          {"maxLength", json_bound(length_max)},
          {"pattern", json_text(pattern)}};
}

SchemaMembers list_members(const Json& items, std::size_t count_min, std::size_t count_max) {
  return {{"type", R"("array")"},
          {"items", items},
          {"minItems", json_bound(count_min)},
          {"maxItems", json_bound(count_max)}};
}

Json list_schema(const Json& items, std::size_t count_min, std::size_t count_max) {
  return json_object(list_members(items, count_min, count_max));
}

SchemaMembers mailboxes_schema(std::size_t count_min, std::size_t count_max) {
  const Json mailbox = reference_to("mailbox");
  return {{"anyOf", json_list({mailbox, list_schema(mailbox, count_min, count_max)})}};
}

SchemaMembers refer(std::string_view name) {
  return {{"$ref", json_text(fmt::format("#/$defs/{}", name))}};
}

SchemaMembers base64_schema(std::size_t length_min) {
  SchemaMembers members = string_schema(pattern::base64_characters, length_min);
  members.push_back({"contentEncoding", R"("base64")"});
  return members;
}

SchemaMembers notify_schema() {
  std::vector<Json> once;
  for (const std::string_view word : {"SUCCESS", "FAILURE", "DELAY"}) {
    once.push_back(json_object(
        {{"contains", pattern_schema(fmt::format("(?:^|,){}(?:,|$)", in_any_case(word)))},
         {"minContains", "0"},
         {"maxContains", "1"}}));
  }
  const std::string never = fmt::format("^{}$", in_any_case("NEVER"));
  // Beside another word NEVER is none.
  once.push_back(fmt::format(R"({{"anyOf":[{{"maxItems":1}},{{"items":{{"not":{}}}}}]}})",
                             pattern_schema(never)));
  return {{"type", R"(["string","array"])"},
          {"pattern", json_text(notify_pattern())},
          {"items", json_object(string_schema(notify_pattern()))},
          {"minItems", "1"},
          {"allOf", json_list(once)}};
}

SchemaMembers content_type_schema(std::size_t bytes_max) {
  SchemaMembers members = string_schema(content_type_pattern(), 1, bytes_max);
  members.push_back(
      {"not", pattern_schema(fmt::format("^(?:{}/|(?:{}|{})(?:[; ]|$))", in_any_case("multipart"),
                                         in_any_case("message/partial"),
                                         in_any_case("message/external-body")))});
  return members;
}

// A date without the days that a month may lack.
SchemaMembers moment_schema() {
  constexpr std::string_view date =
      R"(^(?:1969-12-31|(?:19[7-9][0-9]|[2-9][0-9]{3})-(?:0[1-9]|1[0-2]))"
      R"(-(?:0[1-9]|[12][0-9]|3[01])))"
      R"([Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?)"
      R"((?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$)";
  return {{"type", R"(["string","integer"])"},
          {"pattern", json_text(date)},
          {"format", R"("date-time")"},
          {"minimum", "1"},
          {"maximum", std::to_string(codec::moment_seconds_max)}};
}

SchemaMembers tags_schema() {
  return {{"type", R"(["string","array"])"},
          {"pattern", json_text(pattern::no_nul)},
          {"items", json_object(string_schema(pattern::no_nul))}};
}

SchemaMembers merge_schema() {
  return {{"type", R"("object")"}, {"$ref", json_text("#/$defs/json")}};
}

SchemaMembers texts_schema(std::size_t count_max) {
  return {{"type", R"("object")"},
          {"additionalProperties", reference_to("text")},
          {"propertyNames", pattern_schema(pattern::no_nul)},
          {"maxProperties", json_bound(count_max)}};
}

SchemaMembers value_schema(JobValue value, Bounds bounds) {
  switch (value) {
    case JobValue::id:
      return string_schema(pattern::no_controls, 1, bounds.bytes_max, R"(["string","integer"])");
    case JobValue::label:
      return string_schema(pattern::no_controls, 1, bounds.bytes_max);
    case JobValue::printable_label:
      return string_schema(pattern::printable, 1, bounds.bytes_max);
    case JobValue::line:
      return string_schema(pattern::no_controls);
    case JobValue::text:
      return refer("text");
    case JobValue::message:
      return refer("message");
    case JobValue::message_base64:
      return base64_schema(1);
    case JobValue::base64:
      return base64_schema(0);
    case JobValue::path:
      return string_schema(pattern::no_nul, 1);
    case JobValue::address:
      return string_schema(fmt::format("^ *{} *$", address_pattern()));
    case JobValue::name:
      return string_schema(R"(^[^\u0000-\u001f\u007f-\u009f]*$)", 0, bounds.bytes_max);
    case JobValue::author:
      return mailboxes_schema(0, 1);
    case JobValue::mailboxes:
      return mailboxes_schema(0, bounds.count_max);
    case JobValue::recipients:
      return mailboxes_schema(1, bounds.count_max);
    case JobValue::sender:
      return {{"anyOf", json_list({json_object(string_schema(pattern::null_sender)),
                                   reference_to("mailbox")})}};
    case JobValue::headers:
      return refer("headers");
    case JobValue::attachments:
      return list_members(reference_to("attachment"), 0, bounds.count_max);
    case JobValue::file_name:
      return string_schema(pattern::no_controls_but_tab, 1, bounds.bytes_max);
    case JobValue::content_type:
      return content_type_schema(bounds.bytes_max);
    case JobValue::content_id:
      return string_schema(pattern::content_id, 1, bounds.bytes_max);
    case JobValue::envelope:
      return refer("envelope");
    case JobValue::dsn:
      return refer("dsn");
    case JobValue::notify:
      return notify_schema();
    case JobValue::return_kind:
      return string_schema(one_of({"FULL", "HDRS"}));
    case JobValue::envelope_id:
      return string_schema(pattern::printable, 1, bounds.bytes_max);
    case JobValue::tags:
      return tags_schema();
    case JobValue::json:
      return refer("json");
    case JobValue::merge:
      return merge_schema();
    case JobValue::texts:
      return texts_schema(bounds.count_max);
    case JobValue::fan_out:
      return list_members(reference_to("recipient"), 1, bounds.count_max);
    case JobValue::moment:
      return moment_schema();
  }
  RP_ASSERT(false);
}

// ---- Rows -------------------------------------------------------------------------------------

template <typename Field, std::size_t count>
using Rows = std::array<FieldRow<Field>, count>;

template <typename Field, std::size_t count>
Json properties_of(const Rows<Field, count>& rows) {
  SchemaMembers properties;
  for (const FieldRow<Field>& row : rows) {
    SchemaMembers members = {{"description", json_text(row.help)}};
    for (SchemaMember& member : value_schema(row.value, {row.bytes_max, row.count_max})) {
      members.push_back(std::move(member));
    }
    properties.push_back({std::string(row.name), json_object(members)});
  }
  return json_lines(properties);
}

// Beside one field others may not stand.
template <typename Field, std::size_t count>
Json exclusions_of(const Rows<Field, count>& rows) {
  SchemaMembers dependent;
  for (const FieldRow<Field>& row : rows) {
    SchemaMembers refused;
    for (const Field other : row.excludes) {
      if (other != row.field) {
        refused.push_back({std::string(rows[static_cast<std::size_t>(other)].name), "false"});
      }
    }
    if (!refused.empty()) {
      dependent.push_back(
          {std::string(row.name), json_object({{"properties", json_object(refused)}})});
    }
  }
  return dependent.empty() ? Json() : json_lines(dependent);
}

template <typename Field, std::size_t count>
SchemaMembers object_schema(const Rows<Field, count>& rows) {
  return {{"type", R"("object")"},
          {"properties", properties_of(rows)},
          {"additionalProperties", "false"},
          {"dependentSchemas", exclusions_of(rows)}};
}

// ---- Header fields ----------------------------------------------------------------------------

template <std::size_t count>
std::string field_pattern(const std::array<Bytes, count>& names) {
  return one_of({names.begin(), names.end()});
}

// A string, and each string of a list.
Json field_value(std::string_view pattern) {
  return json_object({{"pattern", json_text(pattern)}, {"items", pattern_schema(pattern)}});
}

// An empty list is no field.
constexpr std::string_view no_field = R"({"type":"array","maxItems":0})";

Json without_header(std::string_view name) {
  return json_object({{"patternProperties", json_object({{one_of({name}), Json(no_field)}})}});
}

// What is read, whatever becomes of it.
Json headers_schema() {
  const Json text = json_object(string_schema(pattern::no_nul));
  return json_object({{"type", R"("object")"},
                      {"maxProperties", json_bound(limits::job_header_fields_max)},
                      {"additionalProperties",
                       json_object({{"type", R"(["string","array"])"},
                                    {"pattern", json_text(pattern::no_nul)},
                                    {"items", text},
                                    {"maxItems", json_bound(limits::job_header_fields_max)}})}});
}

// A value is text as it stands, or with tags in it, of which nobody knows what they become.
enum class Texts : std::uint8_t { literal, with_tags };

Json checked_headers_schema(Texts texts) {
  const auto value = [texts](std::string_view pattern) {
    return field_value(texts == Texts::literal ? std::string(pattern)
                                               : fmt::format("{}|{}", pattern::tag, pattern));
  };
  const std::string text = field_pattern(codec::text_fields);
  return json_lines(
      {{"patternProperties",
        json_lines({{"^", value(pattern::no_controls_but_tab)},
                    {fmt::format("^(?!{})", pattern::field_name), Json(no_field)},
                    {field_pattern(codec::owned_fields), Json(no_field)},
                    {fmt::format("^(?!{})", text.substr(1)), value(pattern::no_outer_blanks)},
                    {field_pattern(codec::ascii_fields), value(pattern::ascii_only)},
                    {field_pattern(codec::single_fields), R"({"maxItems":1})"},
                    {one_of({"Message-ID"}), value(pattern::message_id)}})}});
}

// ---- What a job needs -------------------------------------------------------------------------

Json given(JobField field) { return json_object({{"required", json_names({name_of(field)})}}); }

// Given, and not as an empty list.
Json given_somebody(JobField field) {
  return json_object(
      {{"required", json_names({name_of(field)})},
       {"properties", json_object({{std::string(name_of(field)), R"({"minItems":1})"}})}});
}

Json given_in_envelope(codec::EnvelopeMember member) {
  const std::string_view name = codec::envelope_members[static_cast<std::size_t>(member)];
  return json_object(
      {{"required", json_names({name_of(JobField::envelope)})},
       {"properties", json_object({{std::string(name_of(JobField::envelope)),
                                    json_object({{"required", json_names({name})}})}})}});
}

Json any_of(const std::vector<Json>& schemas) {
  return json_object({{"anyOf", json_list(schemas)}});
}

Json all_of(const std::vector<Json>& schemas) {
  return json_object({{"allOf", json_list(schemas)}});
}

Json headers_fulfil(const Json& schema) {
  return json_object(
      {{"properties", json_object({{std::string(name_of(JobField::headers)), schema}})}});
}

Json author_rule() {
  const Json author_in_headers = all_of(
      {given(JobField::headers), headers_fulfil(json_object({{"not", without_header("From")}}))});
  return any_of({given_somebody(JobField::from), author_in_headers});
}

Json parts_rule() {
  return any_of({given(JobField::text), given(JobField::html), given(JobField::text_file),
                 given(JobField::html_file), given_somebody(JobField::attachments)});
}

Json sender_rule() {
  return any_of({given_in_envelope(codec::EnvelopeMember::from), given_somebody(JobField::from)});
}

Json recipients_rule() {
  return any_of({given_in_envelope(codec::EnvelopeMember::to), given_somebody(JobField::to),
                 given_somebody(JobField::cc), given_somebody(JobField::bcc)});
}

// A header field that the job has a field of its own for is given in one of both.
Json header_rule(JobField field, std::string_view header) {
  return json_object(
      {{"if", given_somebody(field)}, {"then", headers_fulfil(without_header(header))}});
}

Json without(std::span<const JobField> fields) {
  SchemaMembers refused;
  for (const JobField field : fields) {
    refused.push_back({std::string(name_of(field)), "false"});
  }
  return json_object({{"properties", json_object(refused)}});
}

Json envelope_fulfils(const Json& schema) {
  return json_object(
      {{"properties", json_object({{std::string(name_of(JobField::envelope)), schema}})}});
}

Json any_given(std::span<const JobField> fields) {
  std::vector<Json> schemas;
  for (const JobField field : fields) {
    schemas.push_back(given(field));
  }
  return any_of(schemas);
}

Json if_else(const Json& condition, const Json& then, const Json& otherwise) {
  return json_lines({{"if", condition}, {"then", then}, {"else", otherwise}});
}

// ---- The three kinds of lines -----------------------------------------------------------------

// A message that is in its line, word by word.
Json message_rules() {
  constexpr std::array of_templates = {JobField::partials, JobField::unsubscribe,
                                       JobField::list_id};
  const Json content = any_of({given(JobField::raw), given(JobField::raw_base64),
                               given(JobField::raw_file), all_of({author_rule(), parts_rule()})});
  return all_of({recipients_rule(), sender_rule(), content, without(of_templates),
                 headers_fulfil(reference_to("literal_headers")),
                 header_rule(JobField::from, "From"), header_rule(JobField::reply_to, "Reply-To"),
                 header_rule(JobField::to, "To"), header_rule(JobField::cc, "Cc"),
                 header_rule(JobField::subject, "Subject")});
}

// Texts with tags, and all that a template needs.
Json template_rules() {
  const Json one_mailbox = R"({"maxItems":1})";
  const Json values =
      json_object({{std::string(name_of(JobField::reply_to)), one_mailbox},
                   {std::string(name_of(JobField::unsubscribe)),
                    json_object({{"pattern", json_text("^(?:https?://|mailto:)")}})}});
  return all_of({author_rule(), parts_rule(), sender_rule(), json_object({{"properties", values}}),
                 headers_fulfil(reference_to("template_headers")),
                 header_rule(JobField::from, "From"), header_rule(JobField::reply_to, "Reply-To"),
                 header_rule(JobField::subject, "Subject"),
                 header_rule(JobField::unsubscribe, "List-Unsubscribe"),
                 header_rule(JobField::unsubscribe, "List-Unsubscribe-Post"),
                 header_rule(JobField::list_id, "List-ID")});
}

// A template that lines below use.
Json definition_rules() {
  constexpr std::array of_jobs = {JobField::id,         JobField::to,
                                  JobField::cc,         JobField::bcc,
                                  JobField::raw,        JobField::raw_base64,
                                  JobField::raw_file,   JobField::template_name,
                                  JobField::recipients, JobField::tags,
                                  JobField::metadata,   JobField::endpoint,
                                  JobField::expires_at, JobField::idempotency_key};
  return all_of({without(of_jobs),
                 envelope_fulfils(R"({"properties":{"to":false,"dsn":{"maxProperties":0}}})"),
                 template_rules()});
}

// Messages that a template makes: of this line, of one above, or that of all such lines.
Json filled_in_rules() {
  constexpr std::array content = {JobField::subject,   JobField::text,      JobField::html,
                                  JobField::text_file, JobField::html_file, JobField::attachments};
  constexpr std::array of_templates = {JobField::from, JobField::reply_to, JobField::partials,
                                       JobField::unsubscribe, JobField::list_id};
  return all_of({if_else(given(JobField::recipients),
                         envelope_fulfils(R"({"properties":{"to":false}})"), recipients_rule()),
                 if_else(any_given(content), template_rules(), without(of_templates))});
}

Json rules() {
  constexpr std::array of_templates = {JobField::template_name, JobField::merge,
                                       JobField::recipients};
  return if_else(given(JobField::define), definition_rules(),
                 if_else(any_given(of_templates), filled_in_rules(), message_rules()));
}

// ---- A template's file ------------------------------------------------------------------------

// A text without tags is what its pattern says; of one with tags nobody knows what they become.
Json or_tags(std::string_view pattern) {
  return json_object(string_schema(fmt::format("{}|{}", pattern::tag, pattern)));
}

Json file_headers_schema() {
  return json_object({{"type", R"("object")"},
                      {"additionalProperties",
                       json_object({{"type", R"(["string","array"])"},
                                    {"pattern", json_text(pattern::no_nul)},
                                    {"items", json_object(string_schema(pattern::no_nul))}})},
                      {"allOf", json_list({reference_to("template_headers")})}});
}

Json template_value_schema(TemplateValue value) {
  switch (value) {
    case TemplateValue::mailbox:
      return or_tags(mailbox_pattern());
    case TemplateValue::line:
      return or_tags(pattern::no_controls_but_tab);
    case TemplateValue::url:
      return json_object(string_schema("^(?:https?://|mailto:)"));
    case TemplateValue::text:
      return reference_to("text");
    case TemplateValue::path:
    case TemplateValue::word:
      return json_object(string_schema(pattern::no_nul));
    case TemplateValue::headers:
      return file_headers_schema();
    case TemplateValue::attachments:
      return list_schema(reference_to("attachment"), 0, limits::job_attachments_max);
    case TemplateValue::texts:
      return json_object(texts_schema(0));
    case TemplateValue::merge:
      return json_object(merge_schema());
    case TemplateValue::envelope:
      return reference_to("envelope");
    case TemplateValue::sender:
      return or_tags(fmt::format("{}|^ *{} *$", pattern::null_sender, address_pattern()));
    case TemplateValue::base64:
      return json_object(base64_schema(0));
  }
  RP_ASSERT(false);
}

template <std::size_t count>
SchemaMembers file_object_schema(const std::array<TemplateRow, count>& rows) {
  SchemaMembers properties;
  for (const TemplateRow& row : rows) {
    properties.push_back({std::string(row.name),
                          json_object({{"description", json_text(row.help)},
                                       {"allOf", json_list({template_value_schema(row.value)})}})});
  }
  return {{"type", R"("object")"},
          {"properties", json_lines(properties)},
          {"additionalProperties", "false"}};
}

// What a template needs, and what may not stand together.
Json file_rules() {
  const Json not_both =
      R"({"not":{"anyOf":[{"required":["text","text_file"]},{"required":["html","html_file"]}]}})";
  return all_of({author_rule(), parts_rule(), sender_rule(), not_both,
                 header_rule(JobField::from, "From"), header_rule(JobField::reply_to, "Reply-To"),
                 header_rule(JobField::to, "To"), header_rule(JobField::subject, "Subject"),
                 header_rule(JobField::unsubscribe, "List-Unsubscribe"),
                 header_rule(JobField::unsubscribe, "List-Unsubscribe-Post"),
                 header_rule(JobField::list_id, "List-ID")});
}

// ---- Definitions ------------------------------------------------------------------------------

// No NUL, no bare CR, and one kind of line end.
std::vector<Json> line_end_rules() {
  const auto lacks = [](std::string_view pattern) {
    return json_object({{"not", pattern_schema(pattern)}});
  };
  return {lacks(R"(\u0000)"), lacks(R"(\r(?!\n))"),
          json_object(
              {{"not", all_of({pattern_schema(R"(\r\n)"), pattern_schema(R"((?:^|[^\r])\n)")})}})};
}

Json text_schema() {
  return json_object({{"type", R"("string")"}, {"allOf", json_list(line_end_rules())}});
}

Json message_schema() {
  std::vector<Json> all = line_end_rules();
  all.push_back(json_object(
      {{"not",
        pattern_schema(fmt::format(R"([^\r\n]{{{}}})", limits::content_line_bytes_max + 1))}}));
  return json_object({{"type", R"("string")"},
                      {"pattern", json_text(pattern::message_begin)},
                      {"allOf", json_list(all)}});
}

// Any value, without a NUL in a string.
Json any_json_schema() {
  const Json again = reference_to("json");
  return json_object({{"pattern", json_text(pattern::no_nul)},
                      {"items", again},
                      {"propertyNames", pattern_schema(pattern::no_nul)},
                      {"additionalProperties", again}});
}

Json mailbox_schema() {
  SchemaMembers person = object_schema(codec::mailbox_rows);
  person.push_back({"required", R"(["email"])"});
  return json_object(
      {{"anyOf", json_list({json_object(string_schema(mailbox_pattern())), json_lines(person)})}});
}

Json recipient_schema() {
  SchemaMembers person = object_schema(codec::recipient_rows);
  person.push_back({"required", R"(["email"])"});
  // What he alone has is no template.
  person.push_back({"allOf", json_list({headers_fulfil(reference_to("literal_headers"))})});
  return json_object(
      {{"anyOf", json_list({json_object(string_schema(mailbox_pattern())), json_lines(person)})}});
}

Json attachment_schema() {
  SchemaMembers members = object_schema(codec::attachment_rows);
  members.push_back({"anyOf", R"([{"required":["content"]},{"required":["path"]}])"});
  return json_lines(members);
}

Json definitions() {
  return json_lines({{"mailbox", mailbox_schema()},
                     {"text", text_schema()},
                     {"message", message_schema()},
                     {"recipient", recipient_schema()},
                     {"headers", headers_schema()},
                     {"literal_headers", checked_headers_schema(Texts::literal)},
                     {"template_headers", checked_headers_schema(Texts::with_tags)},
                     {"attachment", attachment_schema()},
                     {"envelope", json_lines(object_schema(codec::envelope_rows))},
                     {"dsn", json_lines(object_schema(codec::dsn_rows))},
                     {"json", any_json_schema()}});
}

}  // namespace

std::string job_schema() {
  SchemaMembers schema = {
      {"$schema", R"("https://json-schema.org/draft/2020-12/schema")"},
      {"title", R"("A job of ringpost")"},
      {"description",
       R"("One line of a job file, be it a job or a template. `ringpost validate` says more: )"
       R"(what it refuses beyond this depends on octets, on files, or on what a )"
       R"(text means.")"}};
  for (SchemaMember& member : object_schema(codec::job_rows)) {
    schema.push_back(std::move(member));
  }
  schema.push_back({"allOf", json_list({rules()})});
  schema.push_back({"$defs", definitions()});
  return json_lines(schema) + "\n";
}

std::string template_schema() {
  SchemaMembers schema = {
      {"$schema", R"("https://json-schema.org/draft/2020-12/schema")"},
      {"title", R"("A template of ringpost")"},
      {"description",
       R"("The file of --template, as JSON, or TOML with the same members. What its tags become, )"
       R"(and files that it names, are looked at when it is used.")"}};
  for (SchemaMember& member : file_object_schema(template_rows)) {
    schema.push_back(std::move(member));
  }
  schema.push_back({"allOf", json_list({file_rules()})});
  SchemaMembers attachment = file_object_schema(template_attachment_rows);
  attachment.push_back({"oneOf", R"([{"required":["content"]},{"required":["path"]}])"});
  schema.push_back(
      {"$defs", json_lines({{"text", text_schema()},
                            {"template_headers", checked_headers_schema(Texts::with_tags)},
                            {"attachment", json_lines(attachment)},
                            {"envelope", json_lines(file_object_schema(template_envelope_rows))},
                            {"json", any_json_schema()}})});
  return json_lines(schema) + "\n";
}

}  // namespace ringpost::cli
