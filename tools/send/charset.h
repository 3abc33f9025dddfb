// Text in whatever charset a message says it is in, as UTF-8.
#pragma once

#include <string>

#include <ringpost/base.h>

namespace ringpost::cli {

// Names are those of the registry of IANA and what mail programs write instead; what browsers take
// for another, richer charset (WHATWG's Encoding Standard) is taken for it here: iso-8859-1 is
// windows-1252. ASCII with octets that are none is UTF-8 where it can be. An error is a clause for
// people: the charset is not known here, or the octets are no text of it, which is never guessed
// at. Fits codec::ToUtf8.
[[nodiscard]] Result<std::string, std::string> to_utf8(Bytes charset, Bytes octets);

}  // namespace ringpost::cli
