// What nodemailer makes of single values of its message object.
#pragma once

#include <optional>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

[[nodiscard]] std::string in_lower_case(Bytes text);

// False where they are no pairs of hexadecimal digits; then some may have been appended.
[[nodiscard]] bool append_hex_octets(Bytes digits, std::string& octets);

// `<https://...>`, or of an address `<mailto:...>`, as `list` has it.
[[nodiscard]] std::string list_url(Bytes url);
// `unsubscribe` is `List-Unsubscribe`.
[[nodiscard]] std::string list_field_name(Bytes name);

// An id as Message-ID has it.
[[nodiscard]] std::string in_brackets(Bytes id);
// Ids with blanks or commas between them, behind those that are there.
void append_references(std::string& ids, Bytes text);

// `data:TYPE;base64,...`; nothing for one of another encoding.
struct DataUrl {
  Bytes type;
  Bytes base64;
};
[[nodiscard]] std::optional<DataUrl> data_of_url(Bytes url);

// JSON writes a Date by RFC 3339; what is none stays as it is.
[[nodiscard]] std::string date_of_json(Bytes text);

// `ret` of a request for reports (RFC 3461).
[[nodiscard]] std::string dsn_return_of(Bytes given);

}  // namespace ringpost::codec
