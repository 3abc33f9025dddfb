#include "engine/protocol/verdict.h"

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using codec::Reply;
using protocol::CloseKind;
using protocol::CloseReason;
using protocol::Verdict;
using protocol::WaitEnd;

namespace {

Reply reply(std::uint16_t code, EnhancedStatus enhanced = {}, Bytes text = "words") {
  Reply result;
  result.code = code;
  result.enhanced = enhanced;
  result.text = text;
  return result;
}

CloseReason reason(CloseKind kind) {
  CloseReason result;
  result.kind = kind;
  result.stage = Stage::ehlo;
  result.code = 421;
  result.enhanced = {4, 3, 2};
  result.text = "bye";
  return result;
}

}  // namespace

TEST_CASE("verdict: only a 2xx to the end of data is an acceptance") {
  for (const std::uint16_t code : std::initializer_list<std::uint16_t>{200, 250, 299}) {
    const Verdict verdict = protocol::verdict_of_reply(Stage::eod, reply(code, {2, 0, 0}));
    CHECK(verdict.status == Status::accepted);
    CHECK(verdict.stage == Stage::eod);
    CHECK(verdict.code == code);
    CHECK(verdict.enhanced == EnhancedStatus{2, 0, 0});
    CHECK(verdict.text == "words");
    CHECK_FALSE(verdict.may_retry);
  }
}

TEST_CASE("verdict: 4xx defers and 5xx rejects, at each stage that answers for a recipient") {
  for (const Stage stage : {Stage::mail, Stage::rcpt, Stage::data, Stage::eod}) {
    const Verdict deferred = protocol::verdict_of_reply(stage, reply(451, {4, 3, 0}));
    CHECK(deferred.status == Status::deferred);
    CHECK(deferred.stage == stage);
    CHECK(deferred.code == 451);
    CHECK(deferred.enhanced == EnhancedStatus{4, 3, 0});
    CHECK_FALSE(deferred.may_retry);
    const Verdict rejected = protocol::verdict_of_reply(stage, reply(550));
    CHECK(rejected.status == Status::rejected);
    CHECK(rejected.stage == stage);
    CHECK(rejected.code == 550);
    CHECK_FALSE(rejected.may_retry);
  }
}

TEST_CASE("verdict: a recipient too many is unsent and goes again, with the server's words") {
  const codec::Reply too_many = reply(452, {4, 5, 3});
  const Verdict verdict = protocol::verdict_of_way(Stage::rcpt, too_many);
  CHECK(verdict.status == Status::unsent);
  CHECK(verdict.stage == Stage::rcpt);
  CHECK(verdict.code == 452);
  CHECK(verdict.text == "words");
  CHECK(verdict.may_retry);
}

TEST_CASE("verdict: a loss behind the end of data is unknown, whatever ended the session") {
  for (std::size_t i = 0; i < protocol::close_kind_count; ++i) {
    const CloseReason why = reason(static_cast<CloseKind>(i));
    const Verdict verdict = protocol::verdict_of_loss(Stage::data, true, why, "our words");
    CHECK(verdict.status == Status::unknown);
    CHECK(verdict.stage == Stage::eod);
    CHECK(verdict.reason == "our words");
    CHECK_FALSE(verdict.may_retry);
  }
}

TEST_CASE("verdict: a loss before the end of data is unsent, and goes again unless we stopped") {
  for (std::size_t i = 0; i < protocol::close_kind_count; ++i) {
    const CloseReason why = reason(static_cast<CloseKind>(i));
    const Verdict verdict = protocol::verdict_of_loss(Stage::rcpt, false, why, "our words");
    CHECK(verdict.status == Status::unsent);
    CHECK(verdict.stage == Stage::rcpt);
    CHECK(verdict.code == 421);
    CHECK(verdict.enhanced == EnhancedStatus{4, 3, 2});
    CHECK(verdict.text == "bye");
    CHECK(verdict.reason == "our words");
    CHECK(verdict.may_retry == (why.kind != CloseKind::aborted));
  }
}

TEST_CASE("verdict: what is refused here is invalid and has no code") {
  const Verdict verdict = protocol::verdict_of_local_refusal("too big");
  CHECK(verdict.status == Status::invalid);
  CHECK(verdict.stage == Stage::local);
  CHECK(verdict.code == 0);
  CHECK(verdict.text.empty());
  CHECK(verdict.reason == "too big");
  CHECK_FALSE(verdict.may_retry);
}

TEST_CASE("verdict: without a session it is unsent, at the stage that failed") {
  const CloseReason why = reason(CloseKind::ehlo_refused);
  const Verdict verdict = protocol::verdict_of_no_session(why, "our words");
  CHECK(verdict.status == Status::unsent);
  CHECK(verdict.stage == Stage::ehlo);
  CHECK(verdict.code == 421);
  CHECK(verdict.reason == "our words");
  CHECK_FALSE(verdict.may_retry);
}

TEST_CASE("verdict: what ends a wait says so, and an expiry what is wrong with the endpoint") {
  const CloseReason trouble = reason(CloseKind::peer_closing);
  CHECK(protocol::verdict_of_no_session(trouble, "gone").wait_end == WaitEnd::no_session);
  CHECK(protocol::verdict_of_no_room().wait_end == WaitEnd::no_room);
  for (const WaitEnd end : {WaitEnd::deadline, WaitEnd::over_age}) {
    const Verdict plain = protocol::verdict_of_expiry(end, nullptr, "too late");
    CHECK(plain.status == Status::expired);
    CHECK(plain.stage == Stage::local);
    CHECK(plain.reason == "too late");
    CHECK(plain.wait_end == end);
    CHECK_FALSE(plain.knows_trouble);
    const Verdict troubled = protocol::verdict_of_expiry(end, &trouble, "too late");
    CHECK(troubled.status == Status::expired);
    CHECK(troubled.stage == Stage::ehlo);
    CHECK(troubled.code == 421);
    CHECK(troubled.text == "bye");
    CHECK(troubled.reason == "too late");
    CHECK(troubled.wait_end == end);
    CHECK(troubled.knows_trouble);
  }
}

TEST_CASE("verdict: what no server was asked is unsent, and what a killed run left is unknown") {
  CHECK(protocol::verdict_of_dry_run().status == Status::unsent);
  CHECK(protocol::verdict_of_dry_run().stage == Stage::local);
  CHECK(protocol::verdict_of_killed_run().status == Status::unknown);
  CHECK(protocol::verdict_of_killed_run().stage == Stage::eod);
}
