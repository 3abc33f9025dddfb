#include "codec/text/utf8.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

TEST_CASE("utf8: every code point is read back, surrogates are not characters") {
  for (char32_t code_point = 0; code_point <= 0x110100; ++code_point) {
    std::string text;
    const auto add = [&text](char32_t octet) { text += static_cast<char>(octet); };
    if (code_point < 0x80) {
      add(code_point);
    } else if (code_point < 0x800) {
      add(0xc0 | code_point >> 6);
      add(0x80 | (code_point & 0x3f));
    } else if (code_point < 0x10000) {
      add(0xe0 | code_point >> 12);
      add(0x80 | (code_point >> 6 & 0x3f));
      add(0x80 | (code_point & 0x3f));
    } else {
      add(0xf0 | code_point >> 18);
      add(0x80 | (code_point >> 12 & 0x3f));
      add(0x80 | (code_point >> 6 & 0x3f));
      add(0x80 | (code_point & 0x3f));
    }
    const Utf8Character character = first_utf8_character(text);
    const bool surrogate = code_point >= 0xd800 && code_point < 0xe000;
    const bool expected = !surrogate && code_point <= 0x10ffff;
    if (character.valid != expected ||
        (expected && (character.code_point != code_point || character.bytes != text.size()))) {
      FAIL("code point " << static_cast<unsigned>(code_point));
    }
  }
}

TEST_CASE("utf8: ill-formed parts are skipped as Unicode recommends") {
  struct Case {
    const char* text;
    std::size_t skipped;
  };
  const Case cases[] = {
      {"\x80", 1},          // a trailing octet alone
      {"\xc0\xaf", 1},      // overlong
      {"\xc3", 1},          // cut
      {"\xe0\x80\x80", 1},  // overlong
      {"\xe2\x82", 2},      // cut after two octets
      {"\xe2\x82X", 2},     //
      {"\xed\xa0\x80", 1},  // a surrogate
      {"\xf0\x9f\x98", 3},  // cut
      {"\xf4\x90\x80\x80", 1},
      {"\xf5\x80\x80\x80", 1},
      {"\xff", 1},
  };
  for (const Case& one : cases) {
    const Utf8Character character = first_utf8_character(one.text);
    CHECK_FALSE(character.valid);
    CHECK(character.bytes == one.skipped);
  }
}

TEST_CASE("utf8: the valid prefix ends at the first offence, wherever it stands") {
  for (std::size_t before = 0; before < 40; ++before) {
    const std::string good(before, 'a');
    CHECK(valid_utf8_prefix(good) == before);
    CHECK(valid_utf8_prefix(good + "\xff more") == before);
    CHECK(valid_utf8_prefix(good + "\xc3\xa4" + "\xc3") == before + 2);
    CHECK(is_ascii(good));
    CHECK_FALSE(is_ascii(good + "\xc3\xa4" + good));
  }
}

TEST_CASE("utf8: a prefix never splits a character") {
  const std::string text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
  for (std::size_t bytes = 0; bytes <= text.size() + 2; ++bytes) {
    const Bytes prefix = utf8_prefix(text, bytes);
    CHECK(prefix.size() <= bytes);
    CHECK(is_utf8(prefix));
    CHECK(prefix.size() + 4 > std::min(bytes, text.size()));
  }
}
