// Line ends and octets of a message, put in order or refused before it may go out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codec/job/job.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// What happens to text whose lines end with a lone LF.
enum class NewlinePolicy : std::uint8_t {
  normalize,  // converted to CRLF when the whole text uses it; a mix is refused
  strict,     // refused
};

enum class ContentErrorKind : std::uint8_t {
  nul,             // RFC 5321 4.5.2: content is text, and NUL is none
  bare_cr,         // a CR without its LF
  bare_lf,         // a lone LF under NewlinePolicy::strict
  mixed_newlines,  // some lines end with CRLF and some with a lone LF
  line_too_long,   // above limits::content_line_bytes_max
};
inline constexpr std::size_t content_error_kind_count = 5;

struct ContentError {
  ContentErrorKind kind = ContentErrorKind::nul;
  std::size_t offset = 0;  // of the octet, from 0, in the text as it was given
  std::size_t line = 0;    // of that octet, from 1

  // A clause for people, with line and octet.
  [[nodiscard]] std::string message() const;
};

// Traits of text that will be encoded before it goes out, so that its lines may have any length.
struct TextTraits {
  ContentTraits content;
  std::size_t longest_line_bytes = 0;  // without line end; lines below 64 octets count as 64
};

// Makes sure that `content` may be sent as it stands: line ends are CRLF, there is no bare CR, no
// bare LF and no NUL (RFC 5321 2.3.8: what smuggling is made of), and no line has more than
// limits::content_line_bytes_max octets.
//
// Content that uses CRLF is read once and not written. Lone LFs are converted in place; the string
// grows by one octet a line. On error `content` is unchanged, and the error names the first
// offence. bench/micro/content_check_bench.cpp
[[nodiscard]] Result<ContentTraits, ContentError> canonicalise(std::string& content,
                                                               NewlinePolicy policy);

// The same without the bound on lines.
[[nodiscard]] Result<TextTraits, ContentError> canonicalise_text(std::string& text,
                                                                 NewlinePolicy policy);

// A finished message begins with a header field. Nothing when `content` does; else why it is none
// and what to do, for people: it comes out of a mailbox file, begins with an empty line or a byte
// order mark, or is a file of another kind.
[[nodiscard]] std::optional<std::string> why_no_message(Bytes content);

// What one pass over some text finds out about it. The functions below come to the same result: the
// last one takes the widest vectors that the processor has, the others are for the tests.
struct LineScan {
  bool has_nul = false;
  bool has_cr = false;
  bool has_lf = false;
  bool has_unpaired = false;  // a CR without an LF behind it, or an LF without a CR before it
  bool has_8bit = false;
  bool has_leading_dot = false;
  std::size_t longest_ended_bytes =
      0;                            // of the lines that end with LF: octets before it, at least 64
  std::size_t last_line_bytes = 0;  // octets behind the last LF

  bool operator==(const LineScan&) const = default;
};
[[nodiscard]] LineScan scan_lines_scalar(Bytes text);
[[nodiscard]] LineScan scan_lines_narrow(Bytes text);
[[nodiscard]] LineScan scan_lines(Bytes text);

}  // namespace ringpost::codec
