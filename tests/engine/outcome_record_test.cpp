#include "engine/outcome_record.h"

#include <catch2/catch_test_macros.hpp>

#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

Circumstances some_circumstances() {
  const Instant begin(100h);
  return {.endpoint = 3,
          .now_us = 77,
          .peer = "192.0.2.1:587",
          .now = begin + 30ms,
          .submitted_at = begin,
          .started_at = begin + 10ms};
}

protocol::Verdict an_acceptance() {
  protocol::Verdict verdict;
  verdict.status = Status::accepted;
  verdict.stage = Stage::eod;
  verdict.code = 250;
  verdict.enhanced = {2, 0, 0};
  verdict.text = "OK\nqueued as 4F1C2A3B";
  return verdict;
}

Outcome recorded(const protocol::Verdict& verdict, const Decision& decision) {
  Outcome outcome;
  record(outcome, verdict, decision, some_circumstances());
  return outcome;
}

}  // namespace

TEST_CASE("outcome record: an acceptance is written with all that is known of it") {
  Decision decision;
  decision.counts = true;
  const Outcome outcome = recorded(an_acceptance(), decision);
  CHECK(outcome.status == Status::accepted);
  CHECK(outcome.stage == Stage::eod);
  CHECK(outcome.code == 250);
  CHECK(outcome.enhanced == EnhancedStatus{2, 0, 0});
  CHECK(outcome.text == "OK queued as 4F1C2A3B");
  CHECK(outcome.reason.empty());
  CHECK(outcome.queue_id == "4F1C2A3B");
  CHECK(outcome.attempts == 1);
  CHECK(outcome.timestamp_us == 77);
  CHECK(outcome.queue_ms == 10);
  CHECK(outcome.submit_ms == 20);
  CHECK(outcome.total_ms == 30);
  CHECK(outcome.endpoint == 3);
  CHECK(outcome.peer == "192.0.2.1:587");
}

TEST_CASE("outcome record: only an acceptance has a queue id, and texts are cut") {
  protocol::Verdict verdict = an_acceptance();
  verdict.status = Status::deferred;
  CHECK(recorded(verdict, {}).queue_id.empty());
  const std::string text(10'000, 'x');
  verdict.text = text;
  CHECK(recorded(verdict, {}).text.size() == limits::outcome_text_bytes_max + 1);
}

TEST_CASE("outcome record: what a decision does not write stays") {
  Outcome outcome = recorded(an_acceptance(), {});
  protocol::Verdict verdict;
  verdict.status = Status::expired;
  verdict.reason = "too late";
  Decision decision;
  decision.writes = {
      .word = false, .reply = false, .reason = true, .course = false, .moment = false};
  decision.note = ", and twice so";
  Circumstances later = some_circumstances();
  later.endpoint = 4;
  later.now_us = 78;
  later.peer = "elsewhere";
  record(outcome, verdict, decision, later);
  CHECK(outcome.status == Status::accepted);
  CHECK(outcome.stage == Stage::eod);
  CHECK(outcome.reason == "too late, and twice so");
  CHECK(outcome.queue_id == "4F1C2A3B");
  CHECK(outcome.endpoint == 3);
  CHECK(outcome.timestamp_us == 77);
  CHECK(outcome.peer == "192.0.2.1:587");
}

TEST_CASE("outcome record: what is decided here has nothing of a server") {
  Outcome outcome = recorded(an_acceptance(), {});
  outcome.attempts = 4;
  record_local(outcome, protocol::verdict_of_local_refusal("no recipients"), 99);
  CHECK(outcome.status == Status::invalid);
  CHECK(outcome.stage == Stage::local);
  CHECK(outcome.code == 0);
  CHECK(outcome.text.empty());
  CHECK(outcome.reason == "no recipients");
  CHECK(outcome.queue_id.empty());
  CHECK(outcome.attempts == 0);
  CHECK(outcome.timestamp_us == 99);
  CHECK(outcome.total_ms == 0);
  CHECK(outcome.endpoint == 0);
  CHECK(outcome.peer.empty());
  record_told(outcome, Status::deferred);
  CHECK(outcome.status == Status::deferred);
}

}  // namespace ringpost::engine
