#include "codec/smtp/token_reply.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using codec::parse_token_reply;

TEST_CASE("token reply: a token alone, with white space around it") {
  CHECK(parse_token_reply("ya29.abc").value().access_token == "ya29.abc");
  CHECK(parse_token_reply(" ya29.abc\r\n").value().access_token == "ya29.abc");
  CHECK_FALSE(parse_token_reply("ya29.abc").value().expires_in_s);
}

TEST_CASE("token reply: the object of an authorisation server") {
  const auto reply = parse_token_reply(
      "\n{ \"token_type\": \"Bearer\", \"expires_in\": 3599,\n \"access_token\": \"a\\/b\", "
      "\"scope\": [\"x\", {\"access_token\": \"no\"}] }\n");
  REQUIRE(reply);
  CHECK(reply->access_token == "a/b");
  CHECK(reply->expires_in_s == 3599);
  CHECK(parse_token_reply("{\"access_token\":\"t\",\"expires_in\":\"60\"}")->expires_in_s == 60);
  CHECK_FALSE(parse_token_reply("{\"access_token\":\"t\"}")->expires_in_s);
  // No clock can add so many.
  CHECK(parse_token_reply("{\"access_token\":\"t\",\"expires_in\":18446744073709551615}")
            ->expires_in_s == 3'153'600'000);
}

TEST_CASE("token reply: what is none is told without quoting it") {
  for (const std::string bad :
       {"", " \n", "two secret", "secret\nline", "{", "{}", "{\"access_token\":", "{secret}",
        "{\"access_token\":7}", "{\"access_token\":\"\"}", "{\"token\":\"secret\"}",
        "{\"access_token\":\"secret\",\"expires_in\":-1}",
        "{\"access_token\":\"secret\",\"expires_in\":\"1h\"}",
        "{\"access_token\":\"secret\",\"expires_in\":null}"}) {
    INFO(bad);
    const auto reply = parse_token_reply(bad);
    REQUIRE_FALSE(reply);
    CHECK(!reply.error().empty());
    CHECK(reply.error().find("secret") == std::string::npos);
  }
}
