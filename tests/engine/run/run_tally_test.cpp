#include "engine/run/run_tally.h"

#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::run {

namespace {

Outcome replied(Status status, Stage stage, std::uint16_t code, std::string text) {
  Outcome outcome;
  outcome.status = status;
  outcome.stage = stage;
  outcome.code = code;
  outcome.text = std::move(text);
  return outcome;
}

Outcome reasoned(Status status, std::string reason) {
  Outcome outcome;
  outcome.status = status;
  outcome.stage = Stage::local;
  outcome.reason = std::move(reason);
  return outcome;
}

}  // namespace

TEST_CASE("run tally: it counts each status, and all") {
  RunTally tally;
  CHECK(tally.total() == 0);
  for (std::size_t i = 0; i < status_count; ++i) {
    for (std::size_t count = 0; count <= i; ++count) {
      tally.count(reasoned(static_cast<Status>(i), "for a reason"));
    }
  }
  for (std::size_t i = 0; i < status_count; ++i) {
    CHECK(tally.of(static_cast<Status>(i)) == i + 1);
  }
  CHECK(tally.total() == status_count * (status_count + 1) / 2);
}

TEST_CASE("run tally: replies that differ only in their numbers are one group") {
  RunTally tally;
  tally.count(
      replied(Status::rejected, Stage::rcpt, 550, "5.1.1 <a1@b.example> id 4711-22 unknown"));
  tally.count(replied(Status::rejected, Stage::rcpt, 550, "5.1.1 <a23@b.example> id 7-4 unknown"));
  const std::vector<ReplyGroup> groups = tally.groups(10);
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].count == 2);
  CHECK(groups[0].status == Status::rejected);
  CHECK(groups[0].stage == Stage::rcpt);
  // The words are a real reply, with its numbers.
  CHECK(groups[0].words == "550 5.1.1 <a1@b.example> id 4711-22 unknown");
}

TEST_CASE("run tally: ids and addresses keep no replies apart, and the first job is named") {
  RunTally tally;
  tally.count(replied(Status::rejected, Stage::eod, 554,
                      "5.7.1 <ann@b.example>: refused (in reply to 3f9a01bc77, b7d4-x1@mx)"),
              0, "job-1");
  tally.count(replied(Status::rejected, Stage::eod, 554,
                      "5.7.1 <bob@c.example>: refused (in reply to 0aa1e7f3c9, c2e1-k3@mx)"),
              0, "job-2");
  tally.count(replied(Status::rejected, Stage::eod, 554, "5.7.1 <bob@c.example>: unwanted"), 0,
              "job-3");
  const std::vector<ReplyGroup> groups = tally.groups(10);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].count == 2);
  CHECK(groups[0].id == "job-1");
  CHECK(groups[0].words.find("<ann@b.example>: refused (in reply to 3f9a01bc77") != Bytes::npos);
}

TEST_CASE("run tally: each endpoint has its own counts, and others are counted as well") {
  RunTally tally(2);
  for (std::size_t i = 0; i < 3; ++i) {
    Outcome outcome = replied(Status::accepted, Stage::eod, 250, "OK");
    outcome.endpoint = static_cast<std::uint32_t>(i % 2);
    tally.count(outcome, i % 2);
  }
  Outcome refused = replied(Status::rejected, Stage::rcpt, 550, "no");
  refused.endpoint = 1;
  tally.count(refused);
  CHECK(tally.of_endpoint(0, Status::accepted) == 2);
  CHECK(tally.of_endpoint(1, Status::accepted) == 1);
  CHECK(tally.of_endpoint(1, Status::rejected) == 1);
  CHECK(tally.of_endpoint(0, Status::rejected) == 0);
  CHECK(tally.of(Status::accepted) == 3);
  CHECK(tally.another_accepts(0));
}

TEST_CASE("run tally: another code, stage or status is another group") {
  RunTally tally;
  tally.count(replied(Status::rejected, Stage::rcpt, 550, "no"));
  tally.count(replied(Status::rejected, Stage::rcpt, 551, "no"));
  tally.count(replied(Status::rejected, Stage::eod, 550, "no"));
  tally.count(replied(Status::deferred, Stage::rcpt, 550, "no"));
  CHECK(tally.groups(10).size() == 4);
}

TEST_CASE("run tally: what was accepted is no reason for anything") {
  RunTally tally;
  tally.count(replied(Status::accepted, Stage::eod, 250, "OK"));
  CHECK(tally.of(Status::accepted) == 1);
  CHECK(tally.groups(10).empty());
}

TEST_CASE("run tally: the same mistake in different lines is one group") {
  RunTally tally;
  tally.count(reasoned(Status::invalid, "jobs.jsonl:1: from: no such thing as \"x\""));
  tally.count(reasoned(Status::invalid, "other.jsonl:200: from: no such thing as \"x\""));
  const std::vector<ReplyGroup> groups = tally.groups(10);
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].words == "from: no such thing as \"x\"");
}

TEST_CASE("run tally: the most frequent come first, and no more than were asked for") {
  RunTally tally;
  for (int kind = 0; kind < 8; ++kind) {
    for (int count = 0; count <= kind; ++count) {
      tally.count(
          reasoned(Status::unsent, "reason " + std::string(1, static_cast<char>('a' + kind))));
    }
  }
  const std::vector<ReplyGroup> groups = tally.groups(3);
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].words == "reason h");
  CHECK(groups[1].words == "reason g");
  CHECK(groups[2].count == 6);
  CHECK(tally.groups(0).empty());
}

TEST_CASE("run tally: a server that never says the same twice cannot make it grow") {
  RunTally tally;
  std::string words = "aaaa";
  for (int i = 0; i < 3000; ++i) {
    for (std::size_t digit = 0, rest = static_cast<std::size_t>(i); digit < 4;
         ++digit, rest /= 26) {
      words[digit] = static_cast<char>('a' + rest % 26);
    }
    tally.count(replied(Status::deferred, Stage::rcpt, 451, words + std::string(10'000, 'x')));
  }
  const std::vector<ReplyGroup> groups = tally.groups(10'000);
  CHECK(groups.size() == 1001);
  CHECK(groups[0].words == "other replies");
  CHECK(groups[0].count == 2000);
  CHECK(groups[1].words.size() < 200);
  CHECK(tally.of(Status::deferred) == 3000);
}

TEST_CASE("run tally: control characters of a server's words do not reach a terminal") {
  RunTally tally;
  tally.count(replied(Status::rejected, Stage::mail, 550, "a\x1b[2Jb\r\nc\x7f"));
  CHECK(tally.groups(1).at(0).words == "550 a [2Jb  c ");
}

TEST_CASE("run tally: one thread counts while others read") {
  RunTally tally;
  std::thread counting([&tally] {
    for (int i = 0; i < 20'000; ++i) {
      tally.count(reasoned(i % 2 == 0 ? Status::accepted : Status::unsent, "stopped"));
    }
  });
  std::uint64_t before = 0;
  bool grows = true;
  while (before < 20'000) {
    const std::uint64_t total = tally.total();
    grows = grows && total >= before && tally.groups(5).size() <= 1;
    before = total;
  }
  counting.join();
  CHECK(grows);
  CHECK(tally.of(Status::unsent) == 10'000);
}

}  // namespace ringpost::run
