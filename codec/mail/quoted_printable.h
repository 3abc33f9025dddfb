// Quoted-printable (RFC 2045 section 6.7) for text.
#pragma once

#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

// Appends `text`, whose line ends are CRLF and stay what they are. Lines have 76 characters at most
// and never end with white space. Never writes `=_`, which boundaries begin with. A dot that would
// begin a line is encoded, so that a server that fails at dot-stuffing does no harm.
void append_quoted_printable(std::string& out, Bytes text);

// Of text that goes on: begins in `column` of a line, and leaves there where it ends. Whatever
// comes next may stand behind it, `=` and a line end among it: its last octet is no blank, and its
// last line has room for `=`.
void append_quoted_printable_piece(std::string& out, Bytes text, std::size_t& column);

// The most that a line may have in front of a piece, or a piece of several lines in its first one.
inline constexpr std::size_t quoted_printable_column_max = 75;

}  // namespace ringpost::codec
