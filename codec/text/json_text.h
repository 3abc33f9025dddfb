// Text as the inside of a JSON string, whatever octets it is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

// Appends `text` as a JSON string with its quotes. Never fails: octets that are no UTF-8 become
// U+FFFD, one for each ill-formed part, and controls (DEL and C1 among them, so that a terminal
// that shows the line is safe) become \u escapes. What comes out is always valid JSON and valid
// UTF-8.
void append_json_string(std::string& out, Bytes text);

// The same for text of a stranger: the string's value has at most `bytes_max` octets. Longer text
// is cut between two characters and ends with U+2026 (an ellipsis), which is counted too.
void append_json_string_cut(std::string& out, Bytes text, std::size_t bytes_max);

// Appends a whole number.
void append_json_number(std::string& out, std::uint64_t value);

// Appends milliseconds with at most three decimals, trailing zeros left out. Negative and not
// finite values become 0.
void append_json_milliseconds(std::string& out, float milliseconds);

}  // namespace ringpost::codec
