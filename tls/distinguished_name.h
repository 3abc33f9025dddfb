// Names of subjects and issuers, in the form in which they are compared. Internal to tls/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::tls {

// A name (the content of an RDNSequence) with what does not count taken out (RFC 5280 7.1): the
// kind of string, the case of ASCII letters, blanks at the ends and several blanks in a row. Two
// names are equal when their forms are; one lies within another's subtree when its form starts with
// the other's. Nothing when the name is malformed.
[[nodiscard]] std::optional<std::string> comparable_name(Bytes name);

// One attribute of a name.
struct NameAttribute {
  Bytes id;  // of its type
  std::uint8_t tag = 0;
  Bytes value;
};

// All attributes of a name, in their order. Nothing when it is malformed.
[[nodiscard]] std::optional<std::vector<NameAttribute>> name_attributes(Bytes name);

// A string of any of the kinds that names are made of, as UTF-8. Nothing for what is no string, or
// a malformed one.
[[nodiscard]] std::optional<std::string> string_as_utf8(std::uint8_t tag, Bytes value);

// What a person calls it: the common name, or else organisation or unit; printable, and cut.
[[nodiscard]] std::string short_name(Bytes name);

}  // namespace ringpost::tls
