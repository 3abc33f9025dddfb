#include <set>

#include <catch2/catch_test_macros.hpp>

#include <ringpost/outcome.h>

using namespace ringpost;

TEST_CASE("outcome: every status and stage has a word of its own, which users store") {
  std::set<std::string_view> statuses;
  for (std::size_t i = 0; i < status_count; ++i) {
    statuses.insert(name_of(static_cast<Status>(i)));
  }
  CHECK(statuses == std::set<std::string_view>{"accepted", "rejected", "deferred", "unsent",
                                               "unknown", "invalid", "expired", "skipped"});
  std::set<std::string_view> stages;
  for (std::size_t i = 0; i < stage_count; ++i) {
    stages.insert(name_of(static_cast<Stage>(i)));
  }
  CHECK(stages == std::set<std::string_view>{"local", "connect", "greeting", "ehlo", "starttls",
                                             "tls", "auth", "mail", "rcpt", "data", "eod"});
  CHECK(name_of(Status::unknown) == "unknown");
  CHECK(name_of(Stage::eod) == "eod");
}

TEST_CASE("outcome: a cleared one is like a fresh one") {
  Outcome outcome;
  outcome.status = Status::accepted;
  outcome.stage = Stage::eod;
  outcome.code = 250;
  outcome.enhanced = {2, 0, 0};
  outcome.text = outcome.reason = outcome.queue_id = outcome.peer = "x";
  outcome.attempts = 3;
  outcome.timestamp_us = 1;
  outcome.queue_ms = outcome.submit_ms = outcome.total_ms = 1;
  outcome.endpoint = 2;
  outcome.clear();
  CHECK(outcome.status == Status::unsent);
  CHECK(outcome.stage == Stage::local);
  CHECK(outcome.code == 0);
  CHECK(!outcome.enhanced.present());
  CHECK((outcome.text + outcome.reason + outcome.queue_id + outcome.peer).empty());
  CHECK(outcome.attempts == 0);
  CHECK(outcome.timestamp_us == 0);
  CHECK(outcome.queue_ms + outcome.submit_ms + outcome.total_ms == 0);
  CHECK(outcome.endpoint == 0);
}
