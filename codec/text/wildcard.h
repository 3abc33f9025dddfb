// Patterns in which each `*` stands for any octets, or for none. Everything else stands for itself,
// letters in their case too: whoever does not mind the case makes both lower first.
#pragma once

#include <ringpost/base.h>

namespace ringpost::codec {

// Whether `pattern` describes the whole of `text`.
[[nodiscard]] bool fits_wildcard(Bytes text, Bytes pattern);

// Whether it describes some part of it.
[[nodiscard]] bool contains_wildcard(Bytes text, Bytes pattern);

}  // namespace ringpost::codec
