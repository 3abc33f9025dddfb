// Why a line of input is no job.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "codec/mail/composition_error.h"
#include <ringpost/base.h>

namespace ringpost::codec {

enum class JobErrorKind : std::uint8_t {
  empty_line,        // nothing but white space: the caller should have skipped it
  line_too_long,     // above limits::job_line_bytes_max
  truncated,         // the line ends within a string, an object or a list
  invalid_utf8,      // the line is not UTF-8
  invalid_json,      // not JSON for another reason
  not_an_object,     // a list, string or number where a job should stand
  trailing_content,  // something stands behind the job's closing brace
  too_deep,          // nested deeper than limits::job_depth_max
  unknown_field,
  duplicate_field,
  unsupported_field,  // what a service has and SMTP submission has not, or this version has not yet
  wrong_type,         // as in a number where a string should stand
  invalid_string,     // NUL, a lone surrogate, a bad escape, or a control where none may stand
  invalid_value,      // the type is right and the value is not
  invalid_address,
  invalid_header,
  invalid_content,  // line ends, NUL, overlong lines
  invalid_base64,
  invalid_attachment,
  missing_field,
  conflicting_fields,
  no_recipients,
  too_many_recipients,
  message_too_large,
  file_error,
};
inline constexpr std::size_t job_error_kind_count = 25;

[[nodiscard]] std::string_view name_of(JobErrorKind kind);
[[nodiscard]] JobErrorKind job_error_kind_of(CompositionErrorKind kind);

// The first offence that was met.
struct JobError {
  JobErrorKind kind = JobErrorKind::invalid_json;
  std::string field;   // as "to[2]" or "headers.Subject"; empty when it is about the whole line
  std::string reason;  // for people, without the field's name

  // "field: reason", or the reason alone.
  [[nodiscard]] std::string message() const;
};

// Where a value stands in a job, for the error that may become of it. A chain of places on the
// stack: each must outlive those that are made of it.
struct JobPlace {
  static constexpr std::size_t no_index = SIZE_MAX;

  const JobPlace* within = nullptr;
  Bytes name;                    // of a member, or
  std::size_t index = no_index;  // of an element

  [[nodiscard]] JobPlace member(Bytes member_name) const { return {this, member_name, no_index}; }
  [[nodiscard]] JobPlace element(std::size_t element_index) const {
    return {this, {}, element_index};
  }
  // As in "envelope.to[2]". Names that the line made up are escaped and cut.
  [[nodiscard]] std::string text() const;
};

}  // namespace ringpost::codec
