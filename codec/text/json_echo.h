// JSON that is handed on as it came: checked to the last octet, without its white space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

enum class JsonFlaw : std::uint8_t {
  syntax,     // not JSON (RFC 8259)
  truncated,  // JSON that ends too early
  trailing,   // a value, and something behind it
  depth,      // nested deeper than allowed
  string,     // a bad escape, a lone surrogate, NUL or a control within a string
};

struct JsonError {
  JsonFlaw flaw = JsonFlaw::syntax;
  std::size_t offset = 0;  // where it shows
};

// Appends the one JSON value that `json` consists of, white space outside of strings left out, so
// that it fits in a line. Duplicate names and large numbers are none of our business here.
// Precondition: `json` is UTF-8. No recursion. On error `out` is as before.
[[nodiscard]] Result<void, JsonError> append_compact_json(std::string& out, Bytes json,
                                                          std::size_t depth_max);

// Only the check: what is wrong with `json`, and where.
[[nodiscard]] Result<void, JsonError> check_json(Bytes json, std::size_t depth_max);

}  // namespace ringpost::codec
