// How messages to people show what somebody wrote.
#pragma once

#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

// `text` in double quotes, cut to a sane length and safe to print. (Not quoted(): std::quoted would
// be found for a std::string.)
[[nodiscard]] std::string in_quotes(Bytes text);

// `text` cut to a sane length, without quotes: control characters and octets that are not UTF-8 are
// escaped, so that a server's words can steer no terminal and forge no line.
[[nodiscard]] std::string printable(Bytes text);

}  // namespace ringpost::codec
