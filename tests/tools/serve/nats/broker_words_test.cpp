// What servers say and are asked, as text: acknowledgement subjects, URLs, and what `nats setup`
// wants.
#include <catch2/catch_test_macros.hpp>

#include "tools/nats/ack_place.h"
#include "tools/nats/client.h"
#include "tools/nats/wanted_things.h"

namespace ringpost::nats::test {

TEST_CASE("acknowledgement: both forms of its subject say which message it is of") {
  const auto shorter = read_ack_place("$JS.ACK.JOBS.ringpost.2.17.30.1700000000123456789.4");
  REQUIRE(shorter);
  CHECK(shorter->deliveries == 2);
  CHECK(shorter->stream_sequence == 17);
  CHECK(shorter->stored_us == 1700000000123456);
  const auto longer =
      read_ack_place("$JS.ACK.hub.ACCOUNT.JOBS.ringpost.3.18.30.1700000000123456789.4.x");
  REQUIRE(longer);
  CHECK(longer->deliveries == 3);
  CHECK(longer->stream_sequence == 18);
  for (const char* const subject :
       {"", "$JS.ACK", "$JS.NAK.JOBS.ringpost.2.17.30.17.4", "$JS.ACK.JOBS.ringpost.2.17.30.17",
        "$JS.ACK.JOBS.ringpost.x.17.30.17.4", "$JS.ACK.JOBS.ringpost.2..30.17.4",
        "$JS.ACK.A.JOBS.ringpost.2.17.30.17.4"}) {
    INFO(subject);
    CHECK_FALSE(read_ack_place(subject));
  }
}

TEST_CASE("url: nobody is shown who logs in, and with what") {
  CHECK(without_secret("nats://127.0.0.1:4222") == "nats://127.0.0.1:4222");
  CHECK(without_secret("nats://u:p@a:1,tls://token@b:2,c:3") == "nats://a:1,tls://b:2,c:3");
  CHECK(without_secret("u:p@w@a:1") == "a:1");
}

TEST_CASE("setup: what was created as wanted does not differ, and each other value does") {
  const auto things = wanted_things({});
  REQUIRE(things.size() == 4);
  for (const WantedThing& thing : things) {
    INFO(thing.kind << ' ' << thing.name);
    std::string config;
    for (const WantedSetting& setting : thing.settings) {
      config += (config.empty() ? "\"" : ",\"") + std::string(setting.key) + "\":" + setting.value;
      CHECK(thing.creation().find(std::string(setting.key) + "\":" + setting.value) !=
            std::string::npos);
    }
    CHECK(differences(thing, JsonAnswer("{\"config\":{" + config + "}}")).empty());
    for (const WantedSetting& setting : thing.settings) {
      const std::string is = "\"" + std::string(setting.key) + "\":" + setting.value;
      std::string other = config;
      other.replace(other.find(is), is.size(), "\"" + std::string(setting.key) + "\":\"other\"");
      const JsonAnswer answer("{\"config\":{" + other + "}}");
      const auto found = differences(thing, answer);
      REQUIRE(found.size() == 1);
      CHECK(found.front().setting->key == setting.key);
      CHECK(found.front().is == "\"other\"");
    }
  }
}

TEST_CASE("setup: servers leave out what is not so, and times are shown as people write them") {
  const auto things = wanted_things({});
  const JsonAnswer empty("{\"config\":{}}");
  for (const Difference& one : differences(things[2], empty)) {
    CHECK(one.setting->key != "allow_direct");
    CHECK(one.setting->key != "max_age");
  }
  CHECK(shown_value("ack_wait", "30000000000") == "30s");
  CHECK(shown_value("max_age", "0") == "none");
  CHECK(shown_value("max_deliver", "-1") == "-1");
}

TEST_CASE("answer: an error has its words and its number, and what is no JSON is one") {
  const JsonAnswer missing(
      R"({"type":"t","error":{"code":404,"err_code":10059,"description":"stream not found"}})");
  CHECK(missing.error() == "stream not found (10059)");
  CHECK(missing.error_code() == 10059);
  CHECK(JsonAnswer("").error());
  CHECK(JsonAnswer("nonsense").error());
  const JsonAnswer good(R"({"stream":"S","seq":12})");
  CHECK_FALSE(good.error());
  CHECK(good.number({"seq"}) == 12);
  CHECK(good.number({"seq", "deeper"}) == 0);
  CHECK(good.text({"stream"}) == "S");
}

}  // namespace ringpost::nats::test
