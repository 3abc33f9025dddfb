// UTF-8 (RFC 3629), one character at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

// U+FEFF, which some programs put in front of a text.
inline constexpr Bytes byte_order_mark = "\xef\xbb\xbf";

// The character that stands at the beginning of some text.
struct Utf8Character {
  char32_t code_point = 0;
  std::size_t bytes = 0;  // octets it takes, at least 1; of an ill-formed part: how many to skip
  bool valid = false;
};

// Precondition: `text` is not empty. Overlong forms, surrogates and values above U+10FFFF are not
// valid; the octets to skip are then the longest prefix that could have begun a character (as
// Unicode 3.9 recommends), so that every reader replaces the same parts.
[[nodiscard]] Utf8Character first_utf8_character(Bytes text);

// Precondition: a code point that is no surrogate, U+10FFFF at most.
void append_utf8(std::string& out, char32_t code_point);

// Offset of the first octet that is not UTF-8; text.size() when all of it is.
[[nodiscard]] std::size_t valid_utf8_prefix(Bytes text);
[[nodiscard]] bool is_utf8(Bytes text);

// True when every octet is below 0x80.
[[nodiscard]] bool is_ascii(Bytes text);

// The longest prefix of valid UTF-8 `text` that has at most `bytes_max` octets and splits no
// character.
[[nodiscard]] Bytes utf8_prefix(Bytes text, std::size_t bytes_max);

}  // namespace ringpost::codec
