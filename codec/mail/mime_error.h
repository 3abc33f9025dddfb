// Why a message cannot be read as MIME has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

enum class MimeErrorKind : std::uint8_t {
  no_field,  // a line of a header that is no field
  too_many_fields,
  field_value,  // Content-Type or the like that is not as it has to be
  no_boundary,  // a multipart that does not say where its parts end, or never has that line
  cut,          // a multipart without its end
  too_deep,
  too_many_parts,
};

struct MimeError {
  MimeErrorKind kind = MimeErrorKind::no_field;
  std::size_t offset = 0;  // in the text that was read
  std::string reason;      // for people
};

}  // namespace ringpost::codec
