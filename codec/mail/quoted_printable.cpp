// The problem: whether a character stands for itself depends on what is behind it and on its
// column. The idea: one pass that looks no further than a line end behind the character, and keeps
// the last column for the `=` of a soft line break. Limits: lines are broken within words; a CR or
// LF that stands alone is encoded.
#include "codec/mail/quoted_printable.h"

#include <algorithm>
#include <cstdint>

namespace ringpost::codec {

namespace {

constexpr std::size_t line_bytes_max = quoted_printable_column_max + 1;

// What stands for itself; white space does so too, but not at the end of a line.
bool is_plain(char character) { return character > ' ' && character <= '~' && character != '='; }

bool begins_with_crlf(Bytes text) { return text.starts_with("\r\n"); }

// How many characters stand for themselves at that column, whatever follows them.
std::size_t plain_run(Bytes text, std::size_t column) {
  constexpr std::size_t column_max = line_bytes_max - 1;
  if (column >= column_max || (column == 0 && text.front() == '.')) {
    return 0;
  }
  const Bytes within = text.substr(0, column_max - column);
  return static_cast<std::size_t>(std::find_if_not(within.begin(), within.end(), is_plain) -
                                  within.begin());
}

void encode(std::string& out, Bytes text, bool goes_on, std::size_t& column) {
  constexpr Bytes hexadecimal = "0123456789ABCDEF";
  while (!text.empty()) {
    if (begins_with_crlf(text)) {
      out += "\r\n";
      column = 0;
      text.remove_prefix(2);
      continue;
    }
    const std::size_t run = plain_run(text, column);
    if (run > 0) {
      out += text.substr(0, run);
      column += run;
      text.remove_prefix(run);
      continue;
    }
    const char character = text.front();
    text.remove_prefix(1);
    const bool line_ends = begins_with_crlf(text);
    const bool is_last = text.empty();
    const bool space = character == ' ' || character == '\t';
    // Within a text line the last column is kept for the `=` of a soft line break.
    const std::size_t line_max = line_bytes_max - (line_ends || (is_last && !goes_on) ? 0 : 1);
    bool plain = is_plain(character) || (space && !line_ends && !is_last);
    if (column + (plain ? 1 : 3) > line_max) {
      out += "=\r\n";
      column = 0;
    }
    plain = plain && (character != '.' || column != 0);
    if (plain) {
      out += character;
    } else {
      const auto octet = static_cast<std::uint8_t>(character);
      out += '=';
      out += hexadecimal[octet >> 4];
      out += hexadecimal[octet & 15U];
    }
    column += plain ? 1 : 3;
  }
}

}  // namespace

void append_quoted_printable(std::string& out, Bytes text) {
  std::size_t column = 0;
  encode(out, text, false, column);
}

void append_quoted_printable_piece(std::string& out, Bytes text, std::size_t& column) {
  encode(out, text, true, column);
}

}  // namespace ringpost::codec
