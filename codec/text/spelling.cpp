// The problem: "unknown field" sends people to the manual for a slip of the finger. The idea: the
// distance to each known word, where a swap of neighbours is one slip, with a bound that grows with
// the word, so that a short one is not taken for just anything. Limits: octets are compared, case
// of ASCII aside; of words that are equally near the first one is named; no place is mended twice.
#include "codec/text/spelling.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/json_text.h"

namespace ringpost::codec {

namespace {

// Longer words are not compared, which bounds the cost of a hostile one.
constexpr std::size_t word_bytes_max = 32;

// Damerau-Levenshtein distance of neighbours ("optimal string alignment"), three rows at a time.
std::size_t distance(Bytes left, Bytes right) {
  using Row = std::array<std::size_t, word_bytes_max + 1>;
  Row before_last{};
  Row last{};
  Row current{};
  for (std::size_t column = 0; column <= right.size(); ++column) {
    last[column] = column;
  }
  for (std::size_t row = 1; row <= left.size(); ++row) {
    current[0] = row;
    for (std::size_t column = 1; column <= right.size(); ++column) {
      const bool same = lower(left[row - 1]) == lower(right[column - 1]);
      current[column] = std::min(
          {last[column] + 1, current[column - 1] + 1, last[column - 1] + (same ? 0U : 1U)});
      const bool swapped = row > 1 && column > 1 &&
                           lower(left[row - 1]) == lower(right[column - 2]) &&
                           lower(left[row - 2]) == lower(right[column - 1]);
      if (swapped) {
        current[column] = std::min(current[column], before_last[column - 2] + 1);
      }
    }
    before_last = last;
    last = current;
  }
  return last[right.size()];
}

}  // namespace

std::string_view nearest_word(Bytes given, std::span<const std::string_view> known) {
  if (given.size() > word_bytes_max) {
    return {};
  }
  std::string_view nearest;
  std::size_t nearest_distance = given.size() / 3 + 1;
  for (const std::string_view word : known) {
    if (word.size() > word_bytes_max) {
      continue;
    }
    const std::size_t word_distance = distance(given, word);
    if (word_distance < nearest_distance && word_distance < word.size()) {
      nearest = word;
      nearest_distance = word_distance;
    }
  }
  return nearest;
}

std::string unknown_word(std::string_view what, Bytes given,
                         std::span<const std::string_view> known) {
  std::string text = fmt::format("unknown {} ", what);
  append_json_string_cut(text, given, word_bytes_max * 2);
  if (const std::string_view nearest = nearest_word(given, known); !nearest.empty()) {
    text += fmt::format("; did you mean \"{}\"?", nearest);
  }
  return text;
}

}  // namespace ringpost::codec
