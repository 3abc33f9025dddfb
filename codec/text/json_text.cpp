// The problem: every outcome line is made of such strings; nearly all of them are plain ASCII, and
// some are a stranger's words, which may hold any octet. The idea: plain octets are looked for
// sixteen at a time and appended in one piece, all others go one character at a time. A text that
// may be too long is measured first, as what comes out of it: an octet that is no UTF-8 becomes
// three. Limits: what is bounded is the value; escaped it may be six times as long.
#include "codec/text/json_text.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "codec/text/utf8.h"

namespace ringpost::codec {

namespace {

constexpr Bytes replacement = "\xef\xbf\xbd";  // U+FFFD
constexpr Bytes ellipsis = "\xe2\x80\xa6";     // U+2026

// True for octets that stand for themselves within a JSON string: printable ASCII but `"` and `\`.
constexpr bool is_plain(std::uint8_t octet) {
  return octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\';
}

constexpr std::array<bool, 256> plain_octets = [] {
  std::array<bool, 256> table{};
  for (std::size_t octet = 0; octet < table.size(); ++octet) {
    table[octet] = is_plain(static_cast<std::uint8_t>(octet));
  }
  return table;
}();

// Octets at the beginning that need no escape.
std::size_t plain_prefix(Bytes text) {
  std::size_t offset = 0;
#ifdef __SSE2__
  const __m128i space = _mm_set1_epi8(0x20);
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i del = _mm_set1_epi8(0x7f);
  while (text.size() - offset >= sizeof(__m128i)) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + offset));
    // The comparison is signed, so it finds the controls and everything from 0x80 up.
    const __m128i special =
        _mm_or_si128(_mm_or_si128(_mm_cmplt_epi8(octets, space), _mm_cmpeq_epi8(octets, quote)),
                     _mm_or_si128(_mm_cmpeq_epi8(octets, backslash), _mm_cmpeq_epi8(octets, del)));
    const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(special));
    if (mask != 0) {
      return offset + static_cast<std::size_t>(std::countr_zero(mask));
    }
    offset += sizeof(__m128i);
  }
#endif
  while (offset < text.size() && plain_octets[static_cast<std::uint8_t>(text[offset])]) {
    ++offset;
  }
  return offset;
}

// Controls by the name that JSON has for them, or by number.
void append_control(std::string& out, char32_t code_point) {
  switch (code_point) {
    case U'\b':
      out += "\\b";
      return;
    case U'\t':
      out += "\\t";
      return;
    case U'\n':
      out += "\\n";
      return;
    case U'\f':
      out += "\\f";
      return;
    case U'\r':
      out += "\\r";
      return;
    default:
      break;
  }
  constexpr Bytes digits = "0123456789abcdef";
  out += "\\u00";
  out += digits[(code_point >> 4) & 15U];
  out += digits[code_point & 15U];
}

// Appends the character that `text` begins with, and says how many octets of `text` it was.
std::size_t append_special(std::string& out, Bytes text) {
  const Utf8Character character = first_utf8_character(text);
  if (!character.valid) {
    out += replacement;
  } else if (text[0] == '"' || text[0] == '\\') {
    out += '\\';
    out += text[0];
  } else if (character.code_point < 0x20 ||
             (character.code_point >= 0x7f && character.code_point < 0xa0)) {
    append_control(out, character.code_point);
  } else {
    out += text.substr(0, character.bytes);
  }
  return character.bytes;
}

void append_inside(std::string& out, Bytes text) {
  while (!text.empty()) {
    const std::size_t plain = plain_prefix(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) {
      text.remove_prefix(append_special(out, text));
    }
  }
}

// Where `text` must be cut so that its value and an ellipsis have `bytes_max` octets at most;
// text.size() when nothing need be cut.
std::size_t cut_offset(Bytes text, std::size_t bytes_max) {
  const std::size_t room = bytes_max > ellipsis.size() ? bytes_max - ellipsis.size() : 0;
  std::size_t offset = 0;
  std::size_t cut = 0;
  std::size_t value_bytes = 0;
  while (offset < text.size()) {
    const Utf8Character character = first_utf8_character(text.substr(offset));
    value_bytes += character.valid ? character.bytes : replacement.size();
    if (value_bytes > bytes_max) {
      return cut;
    }
    offset += character.bytes;
    if (value_bytes <= room) {
      cut = offset;
    }
  }
  return text.size();
}

}  // namespace

void append_json_string(std::string& out, Bytes text) {
  out += '"';
  append_inside(out, text);
  out += '"';
}

void append_json_string_cut(std::string& out, Bytes text, std::size_t bytes_max) {
  // Replacement makes three octets of one at most, so short text needs no counting.
  const std::size_t cut =
      text.size() <= bytes_max / replacement.size() ? text.size() : cut_offset(text, bytes_max);
  out += '"';
  append_inside(out, text.substr(0, cut));
  if (cut < text.size() && bytes_max >= ellipsis.size()) {
    out += ellipsis;
  }
  out += '"';
}

void append_json_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;
  const std::to_chars_result result =
      std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), result.ptr);
}

void append_json_milliseconds(std::string& out, float milliseconds) {
  // Above, the value is a mistake, and it must not overflow the integer.
  constexpr float milliseconds_max = 1e12F;
  if (!(milliseconds > 0)) {
    out += '0';
    return;
  }
  const double bounded = std::fmin(milliseconds, milliseconds_max);
  const auto microseconds = static_cast<std::uint64_t>(std::llround(bounded * 1000));
  append_json_number(out, microseconds / 1000);
  std::uint64_t decimals = microseconds % 1000;
  if (decimals == 0) {
    return;
  }
  out += '.';
  for (std::uint64_t place = 100; decimals != 0; place /= 10) {
    out += static_cast<char>('0' + decimals / place);
    decimals %= place;
  }
}

}  // namespace ringpost::codec
