// The problem: a million refusals have a handful of reasons, and hardly two replies are the same.
// The idea: word by word, an address is one sign, and so is what is as long as an id and has a
// digit; in other words each number is one. Limits: see the header.
#include "engine/run/masked_words.h"

#include <algorithm>
#include <cstddef>

#include "codec/text/ascii.h"

namespace ringpost::run {

namespace {

void append_masked_word(std::string& words, std::string_view word) {
  constexpr std::size_t id_bytes_min = 8;
  const bool has_digit = std::any_of(word.begin(), word.end(), codec::is_digit);
  if (word.find('@') != std::string_view::npos) {
    words += '@';
    return;
  }
  if (has_digit && word.size() >= id_bytes_min) {
    words += '#';
    return;
  }
  for (const char c : word) {
    if (!codec::is_digit(c)) {
      words.push_back(c);
    } else if (words.empty() || words.back() != '#') {
      words.push_back('#');
    }
  }
}

}  // namespace

std::string masked_words(std::string_view text) {
  std::string words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    append_masked_word(words, text.substr(0, end));
    words += ' ';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace ringpost::run
