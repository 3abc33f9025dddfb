// The problem: a text in several words comes back whole only when they are cut where all readers
// can put them together. The idea: text is cut by what is drawn as one character; in base64 the cut
// is the last that is also a multiple of three octets, and where there is none a word of Q evens it
// out. Limits: the charset is always UTF-8; a letter with more marks than fit in one word is cut.
#include "codec/mail/encoded_word.h"

#include <algorithm>
#include <cstdint>

#include "codec/text/base64.h"
#include "codec/text/code_point.h"
#include "codec/text/lexical_token.h"
#include "codec/text/utf8.h"

namespace ringpost::codec {

namespace {

// What stands for itself in a Q encoded word wherever that word stands (RFC 2047 section 5, rule
// 3).
bool is_plain(char character) {
  return is_alphanumeric(character) || Bytes("!*+-/").find(character) != Bytes::npos;
}

std::size_t q_size(Bytes text) {
  std::size_t size = 0;
  for (const char character : text) {
    size += is_plain(character) || character == ' ' ? 1U : 3U;
  }
  return size;
}

std::size_t payload_size(Bytes text, WordEncoding encoding) {
  return encoding == WordEncoding::q ? q_size(text) : base64_size(text.size());
}

// A character, and what is drawn into it, unless that has more than `bytes_max` octets together.
std::size_t drawn_character_bytes(Bytes text, std::size_t bytes_max) {
  const std::size_t first = first_utf8_character(text).bytes;
  std::size_t bytes = first;
  while (bytes < text.size()) {
    const Utf8Character next = first_utf8_character(text.substr(bytes));
    if (!joins_previous(next.code_point)) {
      break;
    }
    bytes += next.bytes;
    if (bytes > bytes_max) {
      return first;
    }
  }
  return bytes;
}

// The longest prefix for one word of Q, at least one character.
std::size_t q_part_bytes(Bytes text, std::size_t room) {
  std::size_t bytes = 0;
  std::size_t encoded = 0;
  while (bytes < text.size()) {
    const Bytes rest = text.substr(bytes);
    const std::size_t next = drawn_character_bytes(rest, room / 3);
    encoded += q_size(rest.substr(0, next));
    if (encoded > room && bytes != 0) {
      break;
    }
    bytes += next;
  }
  return bytes;
}

WordPart b_part(Bytes text, std::size_t room) {
  if (base64_size(text.size()) <= room) {
    return {text.size(), WordEncoding::b};
  }
  const std::size_t bytes_max = room / 4 * 3;
  std::size_t even = 0;                 // the last end of a character at a multiple of three
  std::size_t first_with_rest[3] = {};  // the first ends with each rest of a division by three
  std::size_t last = 0;
  while (last < text.size()) {
    const std::size_t end = last + drawn_character_bytes(text.substr(last), bytes_max);
    if (end > bytes_max) {
      break;
    }
    last = end;
    even = end % 3 == 0 ? end : even;
    std::size_t& first = first_with_rest[end % 3];
    first = first == 0 ? end : first;
  }
  if (even != 0) {
    return {even, WordEncoding::b};
  }
  // What follows the first end with the same rest as the last one can be cut at the last one.
  const Bytes uneven = text.substr(0, first_with_rest[last % 3]);
  return {q_part_bytes(uneven, room), WordEncoding::q};
}

}  // namespace

WordEncoding readable_encoding(Bytes text) {
  const auto high = std::count_if(text.begin(), text.end(), [](char character) {
    return (static_cast<std::uint8_t>(character) & 0x80U) != 0;
  });
  return static_cast<std::size_t>(high) > text.size() / 2 ? WordEncoding::b : WordEncoding::q;
}

WordEncoding fitting_encoding(Bytes text) {
  const WordEncoding readable = readable_encoding(text);
  if (encoded_word_size(text, readable) <= encoded_word_bytes_max) {
    return readable;
  }
  return base64_size(text.size()) < q_size(text) ? WordEncoding::b : WordEncoding::q;
}

WordPart next_word_part(Bytes text, std::size_t room, WordEncoding wanted) {
  RP_ASSERT(room >= encoded_character_bytes_max);
  return wanted == WordEncoding::b ? b_part(text, room)
                                   : WordPart{q_part_bytes(text, room), WordEncoding::q};
}

std::size_t encoded_word_size(Bytes text, WordEncoding encoding) {
  return encoded_word_frame_bytes + payload_size(text, encoding);
}

void append_encoded_word(std::string& out, Bytes text, WordEncoding encoding) {
  constexpr Bytes hexadecimal = "0123456789ABCDEF";
  if (encoding == WordEncoding::b) {
    out += "=?UTF-8?B?";
    append_base64(out, text);
    out += "?=";
    return;
  }
  out += "=?UTF-8?Q?";
  for (const char character : text) {
    if (is_plain(character)) {
      out += character;
    } else if (character == ' ') {
      out += '_';
    } else {
      const auto octet = static_cast<std::uint8_t>(character);
      out += '=';
      out += hexadecimal[octet >> 4];
      out += hexadecimal[octet & 15U];
    }
  }
  out += "?=";
}

}  // namespace ringpost::codec
