#include "tools/process/quota_limits.h"

#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace ringpost::cli {

namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_CASE("quota limits: units and periods") {
  CHECK(parse_quota_limit("14/s").value() ==
        QuotaLimit{QuotaUnit::messages, QuotaPeriod::second, {14, 1s}});
  CHECK(parse_quota_limit("14").value() == parse_quota_limit("14 messages/s").value());
  CHECK(parse_quota_limit("500/h").value() ==
        QuotaLimit{QuotaUnit::messages, QuotaPeriod::hour, {500, 1h}});
  CHECK(parse_quota_limit("50000 recipients/d").value() ==
        QuotaLimit{QuotaUnit::recipients, QuotaPeriod::day, {50'000, 24h}});
  CHECK(parse_quota_limit("10M bytes/m").value() ==
        QuotaLimit{QuotaUnit::octets, QuotaPeriod::minute, {10'000'000, 1min}});
}

TEST_CASE("quota limits: what is no whole number has another length") {
  CHECK(parse_quota_limit("0.5/s").value().window == RateWindow{1, 2s});
  CHECK(parse_quota_limit("2.5/m").value().window == RateWindow{2, 48s});
  CHECK(parse_quota_limit("1.5k/h").value().window == RateWindow{1500, 1h});
}

TEST_CASE("quota limits: lists hold together") {
  const auto limits = parse_quota_limits("14/s, 500/h,50k recipients/d");
  REQUIRE(limits);
  REQUIRE(limits->size() == 3);
  CHECK((*limits)[2].unit == QuotaUnit::recipients);
  CHECK((*limits)[2].window.amount == 50'000);
  CHECK_FALSE(parse_quota_limits("14/s,20/s"));
  CHECK_FALSE(parse_quota_limits("14/s,"));
  CHECK_FALSE(parse_quota_limits(""));
}

TEST_CASE("quota limits: what is none is quoted") {
  for (const std::string text :
       {"", "/s", "x/s", "-1/s", "1e3/s", "inf/s", "14/", "14/x", "14 mails/s", "14 /s/s", "0/s",
        "0.0000001/s", "99999999999M/s", "1..5/s", ".5/s", "5./s", "14/S"}) {
    CAPTURE(text);
    const auto limit = parse_quota_limit(text);
    REQUIRE_FALSE(limit);
    CHECK(limit.error().find("\"" + text + "\"") != std::string::npos);
  }
}

TEST_CASE("quota limits: their text is read as the same") {
  const std::string text =
      GENERATE("14/s", "0.5/s", "2.5/m", "500/h", "50000 recipients/d", "10000000 bytes/m", "1/d");
  CHECK(quota_limit_text(parse_quota_limit(text).value()) == text);
}

}  // namespace ringpost::cli
