#include "tools/process/numbers.h"

#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::cli;
using namespace std::chrono_literals;

TEST_CASE("number: k is a thousand and M a million") {
  CHECK(parse_number("0", {}) == 0U);
  CHECK(parse_number("42", {}) == 42U);
  CHECK(parse_number("10k", {}) == 10'000U);
  CHECK(parse_number("10K", {}) == 10'000U);
  CHECK(parse_number("3M", {}) == 3'000'000U);
  CHECK(parse_number("18446744073709551615", {}) == UINT64_MAX);
}

TEST_CASE("number: what is none is quoted in the error") {
  for (const char* text :
       {"", "k", "-1", "+1", "1.5", "1e3", "10kk", "10 k", " 1", "0x10", "1m", "auto", "ten"}) {
    const auto number = parse_number(text, {});
    INFO(text);
    REQUIRE_FALSE(number);
    CHECK(number.error().find('"' + std::string(text) + '"') != std::string::npos);
  }
}

TEST_CASE("number: what does not fit is refused, not cut") {
  CHECK_FALSE(parse_number("18446744073709551616", {}));
  CHECK_FALSE(parse_number("18446744073709551615k", {}));
  CHECK_FALSE(parse_number("0", {.min = 1}));
  CHECK_FALSE(parse_number("65536", {.min = 1, .max = 65535}));
  CHECK(parse_number("65535", {.min = 1, .max = 65535}) == 65535U);
  CHECK(parse_number("99", {.min = 1, .max = 9}).error() == "\"99\" is out of range: from 1 to 9");
}

TEST_CASE("number: a hostile text is cut and made safe in the error") {
  const auto number = parse_number(std::string(5000, 'x') + "\x1b[2J", {});
  REQUIRE_FALSE(number);
  CHECK(number.error().size() < 200);
  CHECK(parse_number("\x1b[2J", {}).error().find('\x1b') == std::string::npos);
}

TEST_CASE("duration: each unit, decimals, and a bare zero") {
  CHECK(parse_duration("0") == Duration::zero());
  CHECK(parse_duration("0s") == Duration::zero());
  CHECK(parse_duration("500ms") == Duration(500ms));
  CHECK(parse_duration("30s") == Duration(30s));
  CHECK(parse_duration("1.5m") == Duration(90s));
  CHECK(parse_duration("2h") == Duration(2h));
}

TEST_CASE("duration: a number without its unit is asked for it") {
  const auto duration = parse_duration("30");
  REQUIRE_FALSE(duration);
  CHECK(duration.error() == "\"30\" has no unit (write 30s or 30ms)");
}

TEST_CASE("duration: what is none is refused") {
  for (const char* text : {"", "s", "-1s", "1d", "1 s", "1e3s", "infs", "nans", ".5s", "5.s",
                           "1.2.3s", "1ss", "9000h", "99999999999999999999h"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("duration: the text of one is read as the same") {
  for (const Duration duration : {Duration(0ms), Duration(1ms), Duration(1500ms), Duration(30s),
                                  Duration(5min), Duration(90s), Duration(2h)}) {
    CHECK(parse_duration(duration_text(duration)) == duration);
  }
  CHECK(duration_text(30s) == "30s");
  CHECK(duration_text(300s) == "5m");
}

TEST_CASE("boolean: the usual words, whatever their case") {
  for (const char* text : {"true", "TRUE", "yes", "on", "1"}) {
    CHECK(parse_boolean(text) == true);
  }
  for (const char* text : {"false", "No", "off", "0"}) {
    CHECK(parse_boolean(text) == false);
  }
  for (const char* text : {"", "2", "truely", "falsehood", "y"}) {
    CHECK_FALSE(parse_boolean(text));
  }
}
