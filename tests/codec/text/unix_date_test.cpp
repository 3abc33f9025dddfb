#include "codec/text/unix_date.h"

#include <ctime>
#include <random>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

std::string rfc3339(std::int64_t unix_us) {
  std::string out;
  append_rfc3339(out, unix_us);
  return out;
}

std::string rfc5322(std::int64_t unix_seconds) {
  std::string out;
  append_rfc5322_date(out, unix_seconds);
  return out;
}

}  // namespace

TEST_CASE("unix_date: dates are written as the RFCs have them") {
  CHECK(rfc3339(0) == "1970-01-01T00:00:00.000Z");
  CHECK(rfc3339(1'795'209'743'456'789) == "2026-11-20T21:22:23.456Z");
  CHECK(rfc3339(951'782'400'000'000) == "2000-02-29T00:00:00.000Z");
  CHECK(rfc3339(-1) == "1969-12-31T23:59:59.999Z");
  CHECK(rfc5322(1'795'209'743) == "Fri, 20 Nov 2026 21:22:23 +0000");
  CHECK(rfc5322(0) == "Thu, 01 Jan 1970 00:00:00 +0000");
}

TEST_CASE("unix_date: times beyond four digits of a year are held at the border") {
  CHECK(rfc3339(INT64_MAX).starts_with("9999-12-31T23:59:59."));
  CHECK(rfc3339(INT64_MIN).starts_with("0001-01-01T00:00:00."));
}

TEST_CASE("unix_date: the C library agrees on random seconds") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20'000; ++round) {
    const auto seconds = static_cast<std::int64_t>(random() % 200'000'000'000) - 30'000'000'000;
    const std::time_t time = seconds;
    std::tm civil{};
    gmtime_r(&time, &civil);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &civil);
    if (rfc5322(seconds) != text) {
      FAIL(rfc5322(seconds) << " is " << text);
    }
    if (parse_rfc3339(rfc3339(seconds * 1'000'000)) != seconds * 1'000'000) {
      FAIL("not read back: " << rfc3339(seconds * 1'000'000));
    }
  }
}

TEST_CASE("unix_date: RFC 3339 is read with fractions and zones") {
  CHECK(parse_rfc3339("2026-11-20T21:22:23Z") == 1'795'209'743'000'000);
  CHECK(parse_rfc3339("2026-11-20t21:22:23.4567891z") == 1'795'209'743'456'789);
  CHECK(parse_rfc3339("2026-11-20T22:22:23+01:00") == 1'795'209'743'000'000);
  CHECK(parse_rfc3339("2026-11-20T15:52:23-05:30") == 1'795'209'743'000'000);
  CHECK(parse_rfc3339("2016-12-31T23:59:60Z") == parse_rfc3339("2017-01-01T00:00:00Z"));
}

TEST_CASE("unix_date: what is no date is refused") {
  for (const char* text :
       {"", "2026", "2026-11-20", "2026-11-20T21:22:23", "2026-11-20 21:22:23Z",
        "2026-13-20T21:22:23Z", "2026-02-30T21:22:23Z", "2026-11-20T24:00:00Z",
        "2026-11-20T21:60:23Z", "2026-11-20T21:22:61Z", "2026-11-20T21:22:23.Z",
        "2026-11-20T21:22:23+1:00", "2026-11-20T21:22:23Zx", "2026-11-20T21:22:23+",
        "+026-11-20T21:22:23Z", "2026-00-20T21:22:23Z", "2026-11-00T21:22:23Z"}) {
    INFO(text);
    CHECK_FALSE(parse_rfc3339(text).has_value());
  }
}

TEST_CASE("unix_date: the writer that remembers its second writes what the other one does") {
  Rfc3339Writer writer;
  std::mt19937_64 random(11);
  std::int64_t time = 1'795'209'743'000'000;
  for (int round = 0; round < 5'000; ++round) {
    time += static_cast<std::int64_t>(random() % 3'000'000) - 500'000;
    std::string out;
    writer.append(out, time);
    if (out != rfc3339(time)) {
      FAIL(out);
    }
  }
}
