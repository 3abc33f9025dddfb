// A field that a job gives by name: what may stand in it, and how it is written.
#pragma once

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
// What may be in the value of that field. An error is about `headers.NAME`.
[[nodiscard]] Composed check_field_value(Bytes name, Bytes value);
// Fields that may stand once, and do not.
[[nodiscard]] Composed check_repeated_fields(std::span<const HeaderField> fields);
// People read it blank by blank: as Subject.
[[nodiscard]] bool is_text_field(Bytes name);

// It has addresses, ids or URLs in it, and encoded words stay as they were given.
[[nodiscard]] bool is_structured_field(Bytes name);

// `Name: value` with its CRLF as that field is written. An error is about `place`.
[[nodiscard]] Composed append_named_field(std::string& out, Bytes name, Bytes value,
                                          const JobPlace& place);

[[nodiscard]] Failure<CompositionError> refuse_field(CompositionErrorKind kind, Bytes name,
                                                     std::string reason);

}  // namespace ringpost::codec
