// Why no message can be made of what a job names.
#pragma once

#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

enum class CompositionErrorKind : std::uint8_t {
  header_name,      // not the name of a field
  header_value,     // CR, LF or another control in a value
  header_owned,     // a field that only compose() may write
  header_repeated,  // a field that may stand once stands twice
  header_conflict,  // a field that the job gives in its own place too
  header_too_long,  // a word that fits on no line
  content_type,
  content_id,
  file_name,
  attached_message,  // one that cannot be attached as it is
  no_author,         // From stands nowhere (RFC 5322 3.6 requires it)
  no_content,        // neither text nor html nor attachments
};

struct CompositionError {
  CompositionErrorKind kind = CompositionErrorKind::no_content;
  std::string field;   // of the job, as "headers.Subject" or "attachments[0].cid"; may be empty
  std::string reason;  // for people
};

using Composed = Result<void, CompositionError>;

}  // namespace ringpost::codec
