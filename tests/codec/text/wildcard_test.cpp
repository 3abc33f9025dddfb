#include "codec/text/wildcard.h"

#include <random>
#include <string>

#include <catch2/catch_test_macros.hpp>

namespace ringpost {

namespace {

// The definition, letter by letter: slow, and plainly right.
bool fits_by_definition(Bytes text, Bytes pattern) {
  std::string reached(text.size() + 1, '0');  // whether the pattern so far describes so much of it
  reached[0] = '1';
  for (const char c : pattern) {
    std::string next(text.size() + 1, '0');
    bool before = false;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      before = before || reached[i] == '1';
      const bool letter = i > 0 && reached[i - 1] == '1' && text[i - 1] == c;
      next[i] = (c == '*' ? before : letter) ? '1' : '0';
    }
    reached = next;
  }
  return reached.back() == '1';
}

std::string random_text(std::mt19937& random, std::string_view letters, std::size_t length_max) {
  std::string text(random() % (length_max + 1), ' ');
  for (char& c : text) {
    c = letters[random() % letters.size()];
  }
  return text;
}

}  // namespace

TEST_CASE("wildcard: a star stands for anything, and for nothing") {
  CHECK(codec::fits_wildcard("smtp.example.com", "smtp.*"));
  CHECK(codec::fits_wildcard("smtp.", "smtp.*"));
  CHECK(codec::fits_wildcard("a@b", "*@*"));
  CHECK(codec::fits_wildcard("", "*"));
  CHECK(codec::fits_wildcard("", ""));
  CHECK_FALSE(codec::fits_wildcard("smtp.example.com.evil.example", "smtp.*.com"));
  CHECK_FALSE(codec::fits_wildcard("aba", "ab*ba"));
  CHECK_FALSE(codec::fits_wildcard("A", "a"));
  CHECK(codec::contains_wildcard("the invalid 'from' field", "invalid *from* field"));
  CHECK_FALSE(codec::contains_wildcard("field from", "from*field"));
  CHECK(codec::contains_wildcard("", ""));
}

TEST_CASE("wildcard: it agrees with the definition") {
  std::mt19937 random(20261129);
  std::size_t fitting = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = random_text(random, "ab", 8);
    const std::string pattern = random_text(random, "ab**", 6);
    INFO(text << " " << pattern);
    const bool fits = codec::fits_wildcard(text, pattern);
    REQUIRE(fits == fits_by_definition(text, pattern));
    REQUIRE(codec::contains_wildcard(text, pattern) ==
            fits_by_definition(text, "*" + pattern + "*"));
    fitting += fits ? 1 : 0;
  }
  CHECK(fitting > 1000);
}

}  // namespace ringpost
