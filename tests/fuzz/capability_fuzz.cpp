// codec/smtp/smtp_capability: neither case nor order of the lines decides what a server can do.
//
// Input: the text of a reply to EHLO, its lines separated by LF.
#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "codec/smtp/smtp_capability.h"
#include "tests/fuzz/fuzz_input.h"
#include <ringpost/limits.h>

using namespace ringpost;
using codec::Capabilities;

namespace {

// SIZE is left out: of several, the last one counts.
bool same_without_size(const Capabilities& a, const Capabilities& b) {
  return a.starttls == b.starttls && a.pipelining == b.pipelining && a.chunking == b.chunking &&
         a.eight_bit_mime == b.eight_bit_mime && a.smtputf8 == b.smtputf8 && a.dsn == b.dsn &&
         a.enhanced_status_codes == b.enhanced_status_codes && a.size == b.size &&
         a.auth == b.auth && a.auth_mechanisms == b.auth_mechanisms;
}

bool same(const Capabilities& a, const Capabilities& b) {
  return same_without_size(a, b) && a.message_bytes_max == b.message_bytes_max;
}

std::vector<Bytes> lines_of(Bytes text) {
  std::vector<Bytes> lines;
  for (std::size_t end = 0; end != Bytes::npos;) {
    end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == Bytes::npos ? 0 : end + 1);
  }
  return lines;
}

std::string joined(const std::vector<Bytes>& lines) {
  std::string text;
  for (const Bytes& line : lines) {
    text += &line == &lines.front() ? "" : "\n";
    text += line;
  }
  return text;
}

std::string with_other_case(Bytes text) {
  std::string other(text);
  for (char& c : other) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    c = letter ? static_cast<char>(c ^ 0x20) : c;
  }
  return other;
}

std::size_t count_without(const Capabilities& capabilities) {
  return static_cast<std::size_t>(capabilities.starttls) + capabilities.pipelining +
         capabilities.chunking + capabilities.eight_bit_mime + capabilities.smtputf8 +
         capabilities.dsn + capabilities.enhanced_status_codes + capabilities.size +
         capabilities.auth;
}

void check_size(Bytes digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool in_range = error == std::errc() && end == digits.data() + digits.size();
  const Capabilities seen = codec::parse_capabilities("mx\nSIZE " + std::string(digits));
  RP_ASSERT(seen.size && seen.message_bytes_max == (in_range ? number : 0));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::own_copy(fuzz::FuzzInput(data, size).rest());
  const Capabilities seen = codec::parse_capabilities(text);
  std::vector<Bytes> lines = lines_of(text);
  RP_ASSERT(count_without(seen) <= std::min(lines.size() - 1, limits::ehlo_keywords_max));
  RP_ASSERT(seen.auth || seen.auth_mechanisms == 0);
  RP_ASSERT(seen.size || seen.message_bytes_max == 0);
  RP_ASSERT((seen.auth_mechanisms >> auth_mechanism_count) == 0);
  RP_ASSERT(same(codec::parse_capabilities(with_other_case(text)), seen));
  lines[0] = "another greeting: STARTTLS";
  RP_ASSERT(same(codec::parse_capabilities(joined(lines)), seen));

  if (lines.size() - 1 <= limits::ehlo_keywords_max) {
    std::reverse(lines.begin() + 1, lines.end());
    RP_ASSERT(same_without_size(codec::parse_capabilities(joined(lines)), seen));
    std::sort(lines.begin() + 1, lines.end());
    RP_ASSERT(same_without_size(codec::parse_capabilities(joined(lines)), seen));
  } else {
    // What stands behind the bound is not looked at.
    lines.resize(limits::ehlo_keywords_max + 1);
    RP_ASSERT(same(codec::parse_capabilities(joined(lines)), seen));
  }
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits > 0) {
    check_size(Bytes(text).substr(0, digits));
  }
  return 0;
}
