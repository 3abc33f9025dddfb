// Line ends and octets of a message, put in order or refused before it may go out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <ringpost/base.h>
#include <ringpost/content.h>

namespace ringpost::codec {

using ringpost::ContentError;
using ringpost::ContentErrorKind;
using ringpost::ContentTraits;
using ringpost::NewlinePolicy;

// For ContentMaker, whose work this is, and for parts of messages that are encoded. Makes sure that
// `content` may be sent as it stands: line ends are CRLF, there is no bare CR, no
// bare LF and no NUL (RFC 5321 2.3.8: what smuggling is made of), and no line has more than
// limits::content_line_bytes_max octets.
//
// Content that uses CRLF is read once and not written. Lone LFs are converted in place; the string
// grows by one octet a line. On error `content` is unchanged, and the error names the first
// offence. bench/micro/content_check_bench.cpp
[[nodiscard]] Result<ContentTraits, ContentError> canonicalise(std::string& content,
                                                               NewlinePolicy policy);

// The same without the bound on lines: for text that will be encoded before it goes out.
[[nodiscard]] Result<ContentTraits, ContentError> canonicalise_text(std::string& text,
                                                                    NewlinePolicy policy);

// The same of text that may be sent as it stands; nothing where there is something to put in order,
// or to refuse.
[[nodiscard]] std::optional<ContentTraits> traits_of_canonical(Bytes text);

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
