// codec/mail/body_scan and codec/mail/content_check against oracles that look at one octet after
// the other.
//
// Input: sizes of rooms, up to the first `|`; behind it the content.
#include <string>

#include "codec/mail/body_scan.h"
#include "codec/mail/content_check.h"
#include "tests/fuzz/fuzz_input.h"
#include <ringpost/limits.h>

using namespace ringpost;
using codec::NewlinePolicy;
using codec::StuffCursor;

namespace {

// What RFC 5321 2.3.8 and 4.5.3.1.6 ask for, after the conversion of lone LFs where there are no
// others.
bool may_be_sent(Bytes text, NewlinePolicy policy, std::string& canonical) {
  const bool lone = text.find('\r') == Bytes::npos && policy == NewlinePolicy::normalize;
  canonical.clear();
  for (const char c : text) {
    canonical += lone && c == '\n' ? Bytes("\r\n") : Bytes(&c, 1);
  }
  std::size_t line_bytes = 0;
  for (std::size_t i = 0; i < canonical.size(); ++i) {
    const char c = canonical[i];
    const bool crlf = c == '\r' && i + 1 < canonical.size() && canonical[i + 1] == '\n';
    if (c == '\0' || (c == '\r' && !crlf) || c == '\n') {
      return false;
    }
    line_bytes = crlf ? 0 : line_bytes + 1;
    i += crlf ? 1u : 0u;
    if (line_bytes > limits::content_line_bytes_max) {
      return false;
    }
  }
  return true;
}

void check_traits(Bytes canonical, const ContentTraits& traits) {
  bool has_8bit = false;
  for (const char c : canonical) {
    has_8bit = has_8bit || (static_cast<unsigned char>(c) & 0x80u) != 0;
  }
  RP_ASSERT(traits.has_8bit == has_8bit);
  RP_ASSERT(traits.ends_with_crlf() == canonical.ends_with("\r\n"));
  const bool dot = canonical.starts_with(".") || canonical.find("\r\n.") != Bytes::npos;
  RP_ASSERT(traits.needs_stuffing() == dot);
}

// The error names the first offence: all is well in front of it, and nothing with it.
void check_error(Bytes text, NewlinePolicy policy, const codec::ContentError& error) {
  RP_ASSERT(error.offset < text.size() && !error.message().empty());
  const Bytes front = text.substr(0, error.offset);
  RP_ASSERT(error.line ==
            1u + static_cast<std::size_t>(std::count(front.begin(), front.end(), '\n')));
  std::string scratch;
  RP_ASSERT(may_be_sent(front, policy, scratch));
  RP_ASSERT(!may_be_sent(text.substr(0, error.offset + 1), policy, scratch));
}

void check_content(const std::string& text, NewlinePolicy policy) {
  RP_ASSERT(codec::scan_lines(text) == codec::scan_lines_scalar(text));
  RP_ASSERT(codec::scan_lines_narrow(text) == codec::scan_lines_scalar(text));
  std::string expected;
  const bool expected_ok = may_be_sent(text, policy, expected);
  std::string content = text;
  const auto traits = codec::canonicalise(content, policy);
  RP_ASSERT(traits.has_value() == expected_ok);
  if (traits) {
    RP_ASSERT(content == expected);
    check_traits(content, *traits);
  } else {
    RP_ASSERT(content == text);
    check_error(text, policy, traits.error());
  }
  const auto unbounded = codec::canonicalise_text(content, policy);
  RP_ASSERT(!traits || (unbounded && unbounded->longest_line_bytes <= 998));
}

using Stuff = std::size_t (*)(Bytes, StuffCursor&, std::span<char>);

// `rooms`: each octet is the size of a room; when they are used up, they come again.
std::string stuffed(Stuff stuff, Bytes content, Bytes rooms) {
  StuffCursor cursor;
  std::string wire;
  for (std::size_t turn = 0; cursor.offset < content.size(); ++turn) {
    std::size_t size = content.size() * 2;
    if (!rooms.empty()) {
      size = 1u + static_cast<unsigned char>(rooms[turn % rooms.size()]);
    }
    std::string room(size, '!');
    const std::size_t before = cursor.offset;
    const std::size_t count = stuff(content, cursor, room);
    RP_ASSERT(count > 0 && count <= size && cursor.offset >= before);
    RP_ASSERT(room.find_first_not_of('!', count) == std::string::npos);
    wire += room.substr(0, count);
  }
  RP_ASSERT(!cursor.dot_written);
  return wire;
}

// RFC 5321 4.5.2, as a server does it.
std::string unstuffed(Bytes wire) {
  std::string content;
  for (std::size_t i = 0; i < wire.size(); ++i) {
    const bool line_begins = i == 0 || wire[i - 1] == '\n';
    if (line_begins && wire[i] == '.') {
      RP_ASSERT(i + 1 < wire.size() && wire[i + 1] == '.');
      ++i;
    }
    content += wire[i];
  }
  return content;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const Bytes rooms = input.until('|');
  const std::string text = fuzz::own_copy(input.rest());
  check_content(text, NewlinePolicy::normalize);
  check_content(text, NewlinePolicy::strict);

  std::string canonical = text;
  if (!codec::canonicalise(canonical, NewlinePolicy::normalize)) {
    canonical.clear();
    for (const char c : text) {
      canonical += c == '\n' ? Bytes("\r\n") : c == '\r' ? Bytes(".") : Bytes(&c, 1);
    }
  }
  const std::string content = fuzz::own_copy(canonical);
  const std::string wire = stuffed(codec::stuff_scalar, content, {});
  RP_ASSERT(unstuffed(wire) == content);
  RP_ASSERT(wire.find("\r\n.\r\n") == std::string::npos && !wire.starts_with(".\r\n"));
  RP_ASSERT(stuffed(codec::stuff, content, {}) == wire);
  RP_ASSERT(stuffed(codec::stuff, content, rooms) == wire);
  RP_ASSERT(stuffed(codec::stuff_scalar, content, rooms) == wire);
  RP_ASSERT(stuffed(codec::stuff, content, Bytes("\0", 1)) == wire);
  return 0;
}
