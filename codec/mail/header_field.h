// A field that a job gives by name: what may stand in it, and how it is written.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "codec/job/job_error.h"
#include "codec/mail/composition_error.h"
#include <ringpost/base.h>

namespace ringpost::codec {

struct HeaderField {
  std::string name;
  std::string value;  // UTF-8

  void clear();
};

// Field names are the same whatever their case (RFC 5322 1.2.2).
[[nodiscard]] bool equal_field_names(Bytes left, Bytes right);

[[nodiscard]] bool has_field(std::span<const HeaderField> fields, Bytes name);

// A name that anybody but compose() may write, and one that is a name at all.
[[nodiscard]] Composed check_field_name(Bytes name);
// What a field is, by its name.
enum class FieldKind : std::uint8_t {
  other,       // text of one line, which does not begin or end with a blank
  text,        // people read it blank by blank: Subject
  ascii,       // its structure allows no encoded words
  message_id,  // the same, and `<left@right>`
  phrases,     // its structure allows them in names
};
[[nodiscard]] FieldKind field_kind(Bytes name);
// It has addresses, ids or URLs in it, and encoded words stay as they were given.
[[nodiscard]] constexpr bool is_structured(FieldKind kind) {
  return kind != FieldKind::other && kind != FieldKind::text;
}

// What may be in the value of that field. An error is about `headers.NAME`.
[[nodiscard]] Composed check_field_value(Bytes name, Bytes value);
// Fields that may stand once, and do not.
[[nodiscard]] Composed check_repeated_fields(std::span<const HeaderField> fields);
// `Name: value` with its CRLF as that field is written. An error is about `place`.
[[nodiscard]] Composed append_named_field(std::string& out, Bytes name, Bytes value,
                                          const JobPlace& place);
// The same, checked before, of a field whose kind is known.
[[nodiscard]] Composed append_checked_field(std::string& out, Bytes name, FieldKind kind,
                                            Bytes value, const JobPlace& place);

[[nodiscard]] Failure<CompositionError> refuse_field(CompositionErrorKind kind, Bytes name,
                                                     std::string reason);

}  // namespace ringpost::codec
