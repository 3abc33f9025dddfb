// Quoted-printable (RFC 2045 section 6.7) for text.
#pragma once

#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

// Appends `text`, whose line ends are CRLF and stay what they are. Lines have 76 characters at most
// and never end with white space. Never writes `=_`, which boundaries begin with. A dot that would
// begin a line is encoded, so that a server that fails at dot-stuffing does no harm.
void append_quoted_printable(std::string& out, Bytes text);

}  // namespace ringpost::codec
