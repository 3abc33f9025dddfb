// Encoded words (RFC 2047): text that is not ASCII, or that must not be taken for anything else, in
// header fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::codec {

// `=?UTF-8?Q?` and `?=`; with B it is as long.
inline constexpr std::size_t encoded_word_frame_bytes = 12;
inline constexpr std::size_t encoded_word_bytes_max = 75;  // RFC 2047 section 2
// Room for one character of four octets, whichever encoding is taken.
inline constexpr std::size_t encoded_character_bytes_max = 12;

enum class WordEncoding : std::uint8_t { q, b };

// Q where something of the text can be read in it, else B.
[[nodiscard]] WordEncoding readable_encoding(Bytes text);
// For a text that goes into one word: the readable one if the word may be as long (RFC 2047 2),
// else the one that takes fewer octets.
[[nodiscard]] WordEncoding fitting_encoding(Bytes text);

// What the next word of a row takes from the front of a text.
struct WordPart {
  std::size_t bytes = 0;
  WordEncoding encoding = WordEncoding::q;
};

// The longest part whose word has at most `room` octets between its frame, room being
// encoded_character_bytes_max at least. It ends with the text or between two characters, between a
// letter and its marks only when there is no other way. `wanted` is the encoding of the row.
//
// Words in B have a multiple of three octets until the last one. GMime 3.2.13 decodes a row of them
// as if they were one and stops at the first `=`, and others do the same. Where no character ends
// at a multiple of three, the part goes out as Q, and is as long as evens out what follows.
[[nodiscard]] WordPart next_word_part(Bytes text, std::size_t room, WordEncoding wanted);

// Octets of the word, its frame included.
[[nodiscard]] std::size_t encoded_word_size(Bytes text, WordEncoding encoding);

void append_encoded_word(std::string& out, Bytes text, WordEncoding encoding);

}  // namespace ringpost::codec
