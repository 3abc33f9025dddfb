// The problem: the place of a value is wanted only when something is wrong with it, which is nearly
// never. The idea: places are links on the stack, and become text when somebody asks, from the
// outermost in. Limits: of more than eight links the outermost are left out. The names of kinds
// have the order of JobErrorKind.
#include "codec/job/job_error.h"

#include <array>

#include <fmt/format.h>

#include "codec/text/json_text.h"

namespace ringpost::codec {

JobErrorKind job_error_kind_of(CompositionErrorKind kind) {
  switch (kind) {
    case CompositionErrorKind::header_name:
    case CompositionErrorKind::header_value:
    case CompositionErrorKind::header_owned:
    case CompositionErrorKind::header_repeated:
    case CompositionErrorKind::header_too_long:
      return JobErrorKind::invalid_header;
    case CompositionErrorKind::header_conflict:
      return JobErrorKind::conflicting_fields;
    case CompositionErrorKind::content_type:
    case CompositionErrorKind::content_id:
    case CompositionErrorKind::file_name:
    case CompositionErrorKind::attached_message:
      return JobErrorKind::invalid_attachment;
    case CompositionErrorKind::no_author:
    case CompositionErrorKind::no_content:
      return JobErrorKind::missing_field;
  }
  return JobErrorKind::invalid_header;
}

std::string JobError::message() const {
  return field.empty() ? reason : fmt::format("{}: {}", field, reason);
}

std::string_view name_of(JobErrorKind kind) {
  constexpr std::array<std::string_view, job_error_kind_count> names = {
      "empty_line",         "line_too_long",   "truncated",           "invalid_utf8",
      "invalid_json",       "not_an_object",   "trailing_content",    "too_deep",
      "unknown_field",      "duplicate_field", "unsupported_field",   "wrong_type",
      "invalid_string",     "invalid_value",   "invalid_address",     "invalid_header",
      "invalid_content",    "invalid_base64",  "invalid_attachment",  "missing_field",
      "conflicting_fields", "no_recipients",   "too_many_recipients", "message_too_large",
      "file_error"};
  return names[static_cast<std::size_t>(kind)];
}

std::string JobPlace::text() const {
  std::array<const JobPlace*, 8> path{};
  std::size_t depth = 0;
  for (const JobPlace* place = this; place != nullptr && depth < path.size();
       place = place->within) {
    path[depth++] = place;
  }
  std::string text;
  while (depth > 0) {
    const JobPlace& place = *path[--depth];
    if (place.index != no_index) {
      text += fmt::format("[{}]", place.index);
    } else {
      text += text.empty() ? "" : ".";
      // A name may be the line's own, so it is escaped and bounded; the quotes are taken off again.
      const std::size_t quote = text.size();
      append_json_string_cut(text, place.name, 80);
      text.erase(quote, 1);
      text.pop_back();
    }
  }
  return text;
}

}  // namespace ringpost::codec
