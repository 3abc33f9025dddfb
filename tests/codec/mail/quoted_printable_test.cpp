#include "codec/mail/quoted_printable.h"

#include <random>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

std::string quoted(Bytes text) {
  std::string out;
  append_quoted_printable(out, text);
  return out;
}

std::string unquoted(Bytes text) {
  std::string out;
  for (std::size_t index = 0; index < text.size(); ++index) {
    if (text[index] != '=') {
      out += text[index];
    } else if (text.substr(index + 1, 2) == "\r\n") {
      index += 2;
    } else {
      out += static_cast<char>(std::stoi(std::string(text.substr(index + 1, 2)), nullptr, 16));
      index += 2;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("quoted_printable: text stays readable") {
  CHECK(quoted("") == "");
  CHECK(quoted("Hello, world!\r\nBye\r\n") == "Hello, world!\r\nBye\r\n");
  CHECK(quoted("a=b") == "a=3Db");
  CHECK(quoted("Gr\xc3\xbc\xc3\x9f"
               "e") == "Gr=C3=BC=C3=9Fe");
  CHECK(quoted("tab\there \r\nspace \r\n") == "tab\there=20\r\nspace=20\r\n");
  CHECK(quoted("end\t") == "end=09");
  CHECK(quoted(".\r\n..\r\na.b") == "=2E\r\n=2E.\r\na.b");
}

TEST_CASE("quoted_printable: lines break softly at 76 characters") {
  CHECK(quoted(std::string(76, 'x')) == std::string(76, 'x'));
  CHECK(quoted(std::string(77, 'x')) == std::string(75, 'x') + "=\r\nxx");
  CHECK(quoted(std::string(75, 'x') + ".y") == std::string(75, 'x') + "=\r\n=2Ey");
}

TEST_CASE("quoted_printable: random text comes back, in lines that any server takes") {
  std::mt19937 random(8);
  constexpr Bytes letters = "ab. \t=_\xc3\xa4";
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (std::size_t count = random() % 400; count > 0; --count) {
      if (random() % 40 == 0) {
        text += "\r\n";
      } else {
        text += letters[random() % letters.size()];
      }
    }
    const std::string lines = quoted(text);
    REQUIRE(unquoted(lines) == text);
    REQUIRE(lines.find("=_") == std::string::npos);
    std::size_t begin = 0;
    while (begin < lines.size()) {
      const std::size_t end = std::min(lines.find("\r\n", begin), lines.size());
      const Bytes line = Bytes(lines).substr(begin, end - begin);
      REQUIRE(line.size() <= 76);
      REQUIRE_FALSE(line.starts_with('.'));
      REQUIRE_FALSE((line.ends_with(' ') || line.ends_with('\t')));
      begin = end + 2;
    }
  }
}
