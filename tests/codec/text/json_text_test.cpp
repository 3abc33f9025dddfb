#include "codec/text/json_text.h"

#include <limits>
#include <random>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "codec/text/json_echo.h"
#include "codec/text/utf8.h"

using namespace ringpost;
using namespace ringpost::codec;

namespace {

std::string json_of(Bytes text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string cut_json_of(Bytes text, std::size_t bytes_max) {
  std::string out;
  append_json_string_cut(out, text, bytes_max);
  return out;
}

std::string milliseconds(float value) {
  std::string out;
  append_json_milliseconds(out, value);
  return out;
}

}  // namespace

TEST_CASE("json_text: what needs an escape gets one, and nothing else does") {
  CHECK(json_of("") == "\"\"");
  CHECK(json_of("plain text, 16 octets and more of it") ==
        "\"plain text, 16 octets and more of it\"");
  CHECK(json_of("a\"b\\c/d") == R"("a\"b\\c/d")");
  CHECK(json_of("\b\t\n\f\r\x01\x1b[31m\x7f") == R"("\b\t\n\f\r\u0001\u001b[31m\u007f")");
  CHECK(json_of(Bytes("a\0b", 3)) == R"("a\u0000b")");
  CHECK(json_of("Gr\xc3\xbc\xc3\x9f"
                "e \xf0\x9f\x98\x80") ==
        "\"Gr\xc3\xbc\xc3\x9f"
        "e \xf0\x9f\x98\x80\"");
}

TEST_CASE("json_text: C1 controls are escaped, because a terminal obeys them") {
  CHECK(json_of("\xc2\x9b"
                "31m") == R"("\u009b31m")");
}

TEST_CASE("json_text: octets that are not UTF-8 become U+FFFD") {
  CHECK(json_of("a\xff"
                "b\xc3") ==
        "\"a\xef\xbf\xbd"
        "b\xef\xbf\xbd\"");
  CHECK(json_of("\xed\xa0\x80") == "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST_CASE("json_text: random octets always come out as JSON and UTF-8, at every alignment") {
  std::mt19937 random(20261120);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 80, ' ');
    for (char& octet : text) {
      octet = static_cast<char>(random() % 3 != 0 ? 'a' + random() % 26 : random());
    }
    const std::string json = json_of(text);
    const bool is_json = check_json(json, 1).has_value() || text.find('\0') != Bytes::npos;
    if (!is_utf8(json) || !is_json) {
      FAIL("round " << round);
    }
  }
}

TEST_CASE("json_text: cut text has at most the octets allowed and ends with an ellipsis") {
  CHECK(cut_json_of("0123456789", 10) == "\"0123456789\"");
  CHECK(cut_json_of("0123456789A", 10) == "\"0123456\xe2\x80\xa6\"");
  CHECK(cut_json_of("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 8) ==
        "\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\"");
  CHECK(cut_json_of("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 8) ==
        "\"\xc3\xa4\xc3\xa4\xe2\x80\xa6\"");
  // Each octet that is replaced makes three.
  CHECK(cut_json_of("\xff\xff\xff\xff", 9) == "\"\xef\xbf\xbd\xef\xbf\xbd\xe2\x80\xa6\"");
}

TEST_CASE("json_text: escapes do not count against the bound of a cut") {
  CHECK(cut_json_of("\n\n\n\n\n\n\n\n\n\n", 10) == R"("\n\n\n\n\n\n\n\n\n\n")");
}

TEST_CASE("json_text: milliseconds have three decimals at most") {
  CHECK(milliseconds(0) == "0");
  CHECK(milliseconds(50) == "50");
  CHECK(milliseconds(0.25F) == "0.25");
  CHECK(milliseconds(1.0625F) == "1.063");
  CHECK(milliseconds(0.001F) == "0.001");
  CHECK(milliseconds(0.0004F) == "0");
  CHECK(milliseconds(-3) == "0");
  CHECK(milliseconds(std::numeric_limits<float>::quiet_NaN()) == "0");
  CHECK(milliseconds(std::numeric_limits<float>::infinity()) == "999999995904");
}

TEST_CASE("json_text: numbers have all their digits") {
  std::string out;
  append_json_number(out, 0);
  out += ' ';
  append_json_number(out, std::numeric_limits<std::uint64_t>::max());
  CHECK(out == "0 18446744073709551615");
}
