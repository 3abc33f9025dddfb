// The fields of a message or of a part, read: what they are called, and what is in those of MIME.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/mail/mime_error.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// A field as it stands in the text that was read.
struct MimeField {
  Bytes name;
  Bytes value;             // folded as it is, without the blanks around it
  std::size_t offset = 0;  // of its name, in the text
};

struct MimeFields {
  std::vector<MimeField> fields;
  std::size_t bytes = 0;  // with the empty line behind them
};

// Reads fields up to the empty line, or to the end. Line ends are CRLF. `text` begins at `offset`
// of what errors are to point into. Refused: a line that is no field, and more fields than
// limits::mime_fields_max.
[[nodiscard]] Result<MimeFields, MimeError> read_mime_fields(Bytes text, std::size_t offset);

// Without its line ends (RFC 5322 2.2.3); a tab that a line begins with is a blank.
[[nodiscard]] std::string unfolded(Bytes value);

struct MimeParameter {
  std::string name;     // in lower case
  std::string value;    // octets
  std::string charset;  // of the value, as RFC 2231 says it; empty: it does not
};

// What Content-Type and Content-Disposition are: a word, and parameters.
struct MimeValue {
  std::string word;  // in lower case, as `text/html`, `attachment`
  std::vector<MimeParameter> parameters;

  [[nodiscard]] const MimeParameter* find(Bytes name) const;
  // Empty where there is none.
  [[nodiscard]] Bytes text(Bytes name) const;
};

// Comments are left out, segments of parameters put together (RFC 2045 5.1, RFC 2231). An error is
// a clause for people.
[[nodiscard]] Result<MimeValue, std::string> read_mime_value(Bytes value);

}  // namespace ringpost::codec
