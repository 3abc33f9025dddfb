// codec/mail/quoted_printable: a reader who knows nothing but RFC 2045 6.7 gets the text back.
//
// Input: text, of which lone CRs and LFs become CRLF.
#include <string>

#include "codec/mail/quoted_printable.h"
#include "tests/fuzz/fuzz_input.h"

using namespace ringpost;

namespace {

std::string with_line_ends(Bytes text) {
  std::string canonical;
  for (const char c : text) {
    canonical += c == '\r' || c == '\n' ? Bytes("\r\n") : Bytes(&c, 1);
  }
  return canonical;
}

unsigned value_of(char digit) {
  RP_ASSERT((digit >= '0' && digit <= '9') || (digit >= 'A' && digit <= 'F'));
  return static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'A' + 10);
}

std::string decoded(Bytes encoded) {
  std::string text;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '=') {
      text += encoded[i];
      continue;
    }
    RP_ASSERT(i + 2 < encoded.size());
    if (encoded.substr(i + 1, 2) != "\r\n") {
      text += static_cast<char>(value_of(encoded[i + 1]) * 16 + value_of(encoded[i + 2]));
    }
    i += 2;
  }
  return text;
}

void check_line(Bytes line) {
  RP_ASSERT(line.size() <= 76);
  RP_ASSERT(line.empty() || (line.back() != ' ' && line.back() != '\t'));
  RP_ASSERT(line.empty() || line.front() != '.');
  for (const char c : line) {
    RP_ASSERT((c >= ' ' && c <= '~') || c == '\t');
  }
  RP_ASSERT(line.find("=_") == Bytes::npos);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = with_line_ends(fuzz::FuzzInput(data, size).rest());
  std::string encoded = "front";
  codec::append_quoted_printable(encoded, text);
  RP_ASSERT(encoded.starts_with("front"));
  encoded.erase(0, 5);
  RP_ASSERT(decoded(encoded) == text);
  for (Bytes rest = encoded; !rest.empty();) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    check_line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  return 0;
}
