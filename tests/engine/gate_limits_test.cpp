// What an endpoint takes, by what it refuses over all of its sessions.
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "tests/engine/gate_support.h"

namespace ringpost::engine::test {

namespace {

CloseReason too_many_connections() {
  CloseReason reason = reason_of(CloseKind::greeting_refused);
  reason.code = 421;
  reason.text = "Too many concurrent SMTP connections";
  return reason;
}

// Lets one in; false: it has to wait.
bool let_in(EndpointGate& gate, Instant now) {
  if (gate.ask(now).answer != Answer::go) {
    return false;
  }
  gate.session_ready(false, protocol::Pipelining::across);
  return true;
}

void refuse_one(Gate& gate) {
  while (gate.gate.ask(gate.now).answer != Answer::go) {
    gate.now += 1s;
  }
  gate.gate.session_ended({}, too_many_connections(), gate.now);
}

}  // namespace

TEST_CASE("gate limits: sessions beside which one more is refused are what the server takes") {
  Gate gate;
  gate.open();
  REQUIRE(let_in(gate.gate, gate.now));
  CHECK(gate.gate.sessions_known() == 0);
  refuse_one(gate);
  CHECK(gate.gate.sessions_known() == 2);
  SECTION("those that were under way when it was refused are let in yet") {
    while (!let_in(gate.gate, gate.now)) {
      gate.now += 1s;
    }
    CHECK(gate.gate.sessions_known() == 3);
    refuse_one(gate);
    CHECK(gate.gate.sessions_known() == 3);
  }
  SECTION("more much later: the provider has changed its mind") {
    gate.now += 10min;
    REQUIRE(let_in(gate.gate, gate.now));
    CHECK(gate.gate.sessions_known() == 0);
  }
  SECTION("fewer than before: that, too") {
    gate.gate.session_ended({.was_ready = true, .progressed = true}, {}, gate.now);
    refuse_one(gate);
    CHECK(gate.gate.sessions_known() == 1);
  }
}

TEST_CASE("gate limits: what ends a session otherwise tells nothing of how many are taken") {
  Gate gate;
  gate.open();
  for (const char* const words : {"try again later", "too many messages in this connection"}) {
    CloseReason reason = too_many_connections();
    reason.text = words;
    while (gate.gate.ask(gate.now).answer != Answer::go) {
      gate.now += 1s;
    }
    gate.gate.session_ended({}, reason, gate.now);
    CHECK(gate.gate.sessions_known() == 0);
  }
}

TEST_CASE("gate limits: a later run opens as many, and now and then tries one more") {
  queue::PrivateQuotaMemory memory;
  {
    queue::LearntLimits learnt;
    learnt.sessions_max = 2;
    learnt.session_messages_max = 5;
    memory.set_learnt(learnt);
  }
  EndpointOptions options;
  options.host = "mx.example";
  Instant now(1000h);
  io::Resolver::Callback look_up;
  EndpointGate gate(
      options, [&](std::string, std::uint16_t, io::Resolver::Callback done) { look_up = done; },
      [] {}, [&] { return now; }, {}, &memory);
  REQUIRE(gate.ask(now).answer == Answer::wait);
  look_up(std::vector{address("192.0.2.1")});
  const EndpointGate::Admission first = gate.ask(now);
  REQUIRE(first.canary);
  CHECK(first.knowledge.session_messages_max == 5);
  gate.session_ready(true, protocol::Pipelining::across);
  REQUIRE(let_in(gate, now));
  const EndpointGate::Admission third = gate.ask(now);
  CHECK(third.answer == Answer::wait);
  CHECK(third.try_again_at > now + 1min);
  SECTION("one that ends makes room") {
    gate.session_ended({.was_ready = true, .progressed = true}, {}, now);
    CHECK(let_in(gate, now));
    CHECK_FALSE(let_in(gate, now));
  }
  SECTION("one more is refused") {
    now = third.try_again_at;
    REQUIRE(gate.ask(now).answer == Answer::go);
    gate.session_ended({}, too_many_connections(), now);
    CHECK(memory.learnt().sessions_max == 2);
  }
  SECTION("one more is let in, and it is forgotten") {
    now = third.try_again_at;
    REQUIRE(let_in(gate, now));
    CHECK(memory.learnt().sessions_max == 0);
    CHECK(memory.learnt().session_messages_max == 5);
    CHECK(let_in(gate, now));
  }
}

TEST_CASE("gate limits: what is told behind a login is one session less each time") {
  Gate gate;
  gate.open();
  CHECK_FALSE(gate.gate.one_too_many(gate.now));
  for (int session = 2; session <= 5; ++session) {
    REQUIRE(let_in(gate.gate, gate.now));
  }
  // Three of five, before any of them has ended.
  for (const std::uint64_t left : {4u, 3u, 2u}) {
    CHECK(gate.gate.one_too_many(gate.now));
    CHECK(gate.gate.sessions_known() == left);
  }
  CHECK_FALSE(gate.gate.allows_spares(gate.now));
  for (int ended = 0; ended < 3; ++ended) {
    CHECK_FALSE(let_in(gate.gate, gate.now));
    gate.gate.session_ended({.was_ready = true, .progressed = true}, {}, gate.now);
  }
  const EndpointGate::Admission third = gate.gate.ask(gate.now);
  REQUIRE(third.answer == Answer::wait);
  CHECK(third.try_again_at == gate.now + 30s);
  SECTION("one more is tried, and is too many") {
    gate.now = third.try_again_at;
    REQUIRE(let_in(gate.gate, gate.now));
    CHECK(gate.gate.one_too_many(gate.now));
    CHECK(gate.gate.sessions_known() == 2);
  }
  SECTION("one more is tried after the other, as long as they send") {
    for (const std::uint64_t known : {3u, 4u}) {
      gate.now += 30s;
      REQUIRE(let_in(gate.gate, gate.now));
      CHECK_FALSE(let_in(gate.gate, gate.now));
      CHECK(gate.gate.sessions_known() == known);
    }
  }
  SECTION("the last one stays") {
    gate.gate.session_ended({.was_ready = true, .progressed = true}, {}, gate.now);
    CHECK_FALSE(gate.gate.one_too_many(gate.now));
    CHECK(gate.gate.sessions_known() == 2);
  }
}

TEST_CASE("gate limits: how many messages a session has is kept for later runs") {
  queue::PrivateQuotaMemory memory;
  EndpointOptions options;
  EndpointGate gate(
      options, [](std::string, std::uint16_t, io::Resolver::Callback) {}, [] {},
      std::chrono::steady_clock::now, {}, &memory);
  protocol::PipeliningKnowledge news;
  static_cast<void>(gate.learn(news));
  CHECK(memory.learnt() == queue::LearntLimits{});
  news.session_messages_max = 20;
  static_cast<void>(gate.learn(news));
  CHECK(memory.learnt().session_messages_max == 20);
}

TEST_CASE("gate limits: a rule that is said three times in a row before messages closes then") {
  for (const auto action : {protocol::RuleAction::stop, protocol::RuleAction::mistake}) {
    protocol::ReplyRule rule;
    rule.action = action;
    rule.times = action == protocol::RuleAction::stop ? 3 : 1;
    CloseReason reason = reason_of(CloseKind::auth_refused);
    reason.stage = Stage::auth;
    reason.rule = &rule;
    Gate gate(0);
    gate.resolve();
    for (int time = 1; time <= 3; ++time) {
      CAPTURE(time);
      CHECK_FALSE(gate.gate.failed());
      while (gate.gate.ask(gate.now).answer != Answer::go) {
        gate.now += 1s;
      }
      gate.gate.session_ended({.canary = true}, reason, gate.now);
    }
    CHECK(gate.gate.failed());
  }
}

}  // namespace ringpost::engine::test
