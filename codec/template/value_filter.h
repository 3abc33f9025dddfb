// What a tag does to its value before it goes out: `{{name|upper|default:"friend"}}`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::codec {

struct ValueFilter {
  enum class Kind : std::uint8_t { url, html, upper, lower, default_text };
  Kind kind = Kind::url;
  std::string text;  // of default_text
};

// Appends the filters of `text`, which stands behind the first `|` of a tag: `url|default:"x"`. The
// error is a clause for people.
[[nodiscard]] Result<void, std::string> parse_value_filters(Bytes text,
                                                            std::vector<ValueFilter>& filters);

// Appends the value as the filter makes it, which is not default_text.
void append_filtered(std::string& out, const ValueFilter& filter, Bytes value);

}  // namespace ringpost::codec
