// The problem: all text is checked and nearly all of it is ASCII; ill-formed parts have to end
// where every reader ends them. The idea: eight octets at a time while no high bit is set;
// elsewhere the lead octet gives the bounds of the second one, which excludes overlong forms,
// surrogates and what is too large without computing them. Limits: other scripts go one character
// at a time.
#include "codec/text/utf8.h"

#include <cstdint>
#include <cstring>

namespace ringpost::codec {

namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080U;

// Octets at the beginning that are ASCII, in steps of eight.
std::size_t ascii_words(Bytes text) {
  std::size_t offset = 0;
  while (text.size() - offset >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + offset, sizeof word);
    if ((word & high_bits) != 0) {
      break;
    }
    offset += sizeof word;
  }
  return offset;
}

// What may follow a lead octet (Unicode table 3-7).
struct Lead {
  std::size_t bytes = 0;    // of the whole character; 0: no lead octet
  std::uint8_t low = 0x80;  // bounds of the second octet
  std::uint8_t high = 0xbf;
  std::uint8_t payload = 0;  // bits of the lead octet
};

Lead lead_of(std::uint8_t octet) {
  if (octet >= 0xc2 && octet <= 0xdf) {
    return {2, 0x80, 0xbf, static_cast<std::uint8_t>(octet & 0x1f)};
  }
  if (octet >= 0xe0 && octet <= 0xef) {
    const std::uint8_t low = octet == 0xe0 ? 0xa0 : 0x80;   // below: overlong
    const std::uint8_t high = octet == 0xed ? 0x9f : 0xbf;  // above: surrogates
    return {3, low, high, static_cast<std::uint8_t>(octet & 0x0f)};
  }
  if (octet >= 0xf0 && octet <= 0xf4) {
    const std::uint8_t low = octet == 0xf0 ? 0x90 : 0x80;   // below: overlong
    const std::uint8_t high = octet == 0xf4 ? 0x8f : 0xbf;  // above: U+10FFFF
    return {4, low, high, static_cast<std::uint8_t>(octet & 0x07)};
  }
  return {};
}

}  // namespace

Utf8Character first_utf8_character(Bytes text) {
  RP_ASSERT(!text.empty());
  const auto octet_at = [text](std::size_t index) {
    return static_cast<std::uint8_t>(text[index]);
  };
  if (octet_at(0) < 0x80) {
    return {octet_at(0), 1, true};
  }
  const Lead lead = lead_of(octet_at(0));
  if (lead.bytes == 0) {
    return {0, 1, false};
  }
  char32_t code_point = lead.payload;
  for (std::size_t index = 1; index < lead.bytes; ++index) {
    const std::uint8_t low = index == 1 ? lead.low : std::uint8_t{0x80};
    const std::uint8_t high = index == 1 ? lead.high : std::uint8_t{0xbf};
    if (index == text.size() || octet_at(index) < low || octet_at(index) > high) {
      return {0, index, false};
    }
    code_point = (code_point << 6) | (octet_at(index) & 0x3fU);
  }
  return {code_point, lead.bytes, true};
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto add = [&out](char32_t octet) { out += static_cast<char>(octet); };
  const auto add_rest = [&](unsigned shift) { add(0x80U | (code_point >> shift & 0x3fU)); };
  if (code_point < 0x80) {
    return add(code_point);
  }
  if (code_point < 0x800) {
    add(0xc0U | code_point >> 6);
  } else if (code_point < 0x10000) {
    add(0xe0U | code_point >> 12);
    add_rest(6);
  } else {
    add(0xf0U | code_point >> 18);
    add_rest(12);
    add_rest(6);
  }
  add_rest(0);
}

std::size_t valid_utf8_prefix(Bytes text) {
  std::size_t offset = 0;
  while (offset < text.size()) {
    offset += ascii_words(text.substr(offset));
    if (offset == text.size()) {
      break;
    }
    const Utf8Character character = first_utf8_character(text.substr(offset));
    if (!character.valid) {
      return offset;
    }
    offset += character.bytes;
  }
  return text.size();
}

bool is_utf8(Bytes text) { return valid_utf8_prefix(text) == text.size(); }

bool is_ascii(Bytes text) {
  text.remove_prefix(ascii_words(text));
  for (const char character : text) {
    if ((static_cast<std::uint8_t>(character) & 0x80U) != 0) {
      // At most eight octets into what ascii_words() left, or there is a high bit among them.
      return false;
    }
  }
  return true;
}

Bytes utf8_prefix(Bytes text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return text;
  }
  std::size_t end = bytes_max;
  // Back to where a character begins: trailing octets are 10xxxxxx.
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xc0U) == 0x80) {
    --end;
  }
  return text.substr(0, end);
}

}  // namespace ringpost::codec
