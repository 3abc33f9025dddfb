// Capital and small letters, whatever the locale.
#pragma once

#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

// Append `text`, UTF-8, with its letters as capitals or as small ones. One letter becomes one: the
// German sharp s stays.
void append_upper(std::string& out, Bytes text);
void append_lower(std::string& out, Bytes text);

}  // namespace ringpost::codec
