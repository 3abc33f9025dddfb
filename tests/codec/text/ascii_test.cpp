#include "codec/text/ascii.h"

#include <cctype>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

TEST_CASE("ascii: each octet is what the C locale says of it, and nothing beyond ASCII is") {
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    INFO(value);
    CHECK(is_digit(c) == (std::isdigit(value) != 0));
    CHECK(is_upper(c) == (std::isupper(value) != 0));
    CHECK(is_lower(c) == (std::islower(value) != 0));
    CHECK(is_letter(c) == (std::isalpha(value) != 0));
    CHECK(is_alphanumeric(c) == (std::isalnum(value) != 0));
    CHECK(is_hexadecimal(c) == (std::isxdigit(value) != 0));
    CHECK(lower(c) == static_cast<char>(std::tolower(value)));
    CHECK(upper(c) == static_cast<char>(std::toupper(value)));
  }
}

TEST_CASE("ascii: only the case of letters is passed over") {
  CHECK(equal_without_case("StartTLS", "STARTTLS"));
  CHECK(equal_without_case("", ""));
  CHECK_FALSE(equal_without_case("a", "ab"));
  CHECK_FALSE(equal_without_case("[", "{"));
  CHECK_FALSE(equal_without_case("\xc9", "\xe9"));
}
