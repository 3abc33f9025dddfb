// When an endpoint is left alone, and when it has its share again.
#include "engine/circuit.h"

#include <catch2/catch_test_macros.hpp>

#include "engine/weighted_turns.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

constexpr Instant circuit_start = Instant{} + 1h;

}  // namespace

TEST_CASE("circuit: silence opens it, and not before its time") {
  Circuit circuit;
  circuit.stirred(circuit_start);
  CHECK(circuit.takes_work(circuit_start));
  CHECK_FALSE(circuit.is_silent(circuit_start + limits::failover_after - 1ms));
  circuit.stirred(circuit_start + 1s);
  circuit.stirred(circuit_start + 500ms);  // of another worker, and older
  CHECK_FALSE(circuit.is_silent(circuit_start + limits::failover_after));
  CHECK(circuit.is_silent(circuit_start + 1s + limits::failover_after));
  CHECK(circuit.state() == Circuit::State::open);
  CHECK_FALSE(circuit.takes_work(circuit_start + 1h));
  // Who says so second says nothing new.
  CHECK_FALSE(circuit.is_silent(circuit_start + 1h));
}

TEST_CASE("circuit: who was slow and goes on is given longer, up to a bound") {
  Circuit circuit;
  Instant now = circuit_start;
  Duration patience = limits::failover_after;
  for (int i = 0; i < 10; ++i) {
    circuit.stirred(now);
    CHECK_FALSE(circuit.is_silent(now + patience - 1ms));
    CHECK(circuit.is_silent(now + patience));
    now += patience;
    CHECK(circuit.worked());
    CHECK_FALSE(circuit.worked());
    patience = std::min<Duration>(2 * patience, limits::failover_after_max);
  }
  CHECK(patience == limits::failover_after_max);
}

TEST_CASE("circuit: who was away is given no longer when it comes back") {
  Circuit circuit;
  circuit.stirred(circuit_start);
  REQUIRE(circuit.is_silent(circuit_start + 1min));
  circuit.session_ready();
  CHECK(circuit.worked());
  circuit.stirred(circuit_start + 2min);
  CHECK(circuit.is_silent(circuit_start + 2min + limits::failover_after));
}

TEST_CASE("circuit: tries that fail open it, however many sessions are let in meanwhile") {
  Circuit circuit;
  circuit.failed(circuit_start);
  circuit.session_ready();
  circuit.sessions_lost();
  circuit.failed(circuit_start + 2s);
  CHECK_FALSE(circuit.is_away(circuit_start + limits::failover_after - 1ms));
  CHECK(circuit.is_away(circuit_start + limits::failover_after));
}

TEST_CASE("circuit: an answer in time begins the count anew") {
  Circuit circuit;
  circuit.failed(circuit_start);
  CHECK_FALSE(circuit.worked());
  CHECK_FALSE(circuit.is_away(circuit_start + 1h));
  circuit.failed(circuit_start + 1h);
  CHECK_FALSE(circuit.is_away(circuit_start + 1h + 1s));
}

TEST_CASE("circuit: a session that is let in tries one message a second, and closes it with one") {
  Circuit circuit;
  circuit.failed(circuit_start);
  REQUIRE(circuit.is_away(circuit_start + 1min));
  CHECK_FALSE(circuit.take_trial(circuit_start + 1min));
  circuit.session_ready();
  CHECK(circuit.state() == Circuit::State::half_open);
  CHECK_FALSE(circuit.takes_work(circuit_start + 1min));
  // What failed before it was let in says nothing now.
  CHECK_FALSE(circuit.is_away(circuit_start + 2min));
  CHECK(circuit.take_trial(circuit_start + 1min));
  CHECK_FALSE(circuit.take_trial(circuit_start + 1min + 999ms));
  CHECK(circuit.take_trial(circuit_start + 1min + 1s));
  SECTION("closed") {
    CHECK(circuit.worked());
    CHECK(circuit.takes_work(circuit_start + 1min));
    CHECK_FALSE(circuit.take_trial(circuit_start + 1h));
  }
  SECTION("lost") {
    circuit.sessions_lost();
    CHECK(circuit.state() == Circuit::State::open);
  }
  SECTION("failed") {
    circuit.failed(circuit_start + 1min);
    CHECK(circuit.state() == Circuit::State::open);
  }
}

TEST_CASE("circuit: one that rests is closed, and takes nothing until then") {
  Circuit circuit;
  circuit.rests(circuit_start + 1min);
  CHECK_FALSE(circuit.takes_work(circuit_start + 1min - 1ms));
  CHECK(circuit.takes_work(circuit_start + 1min));
  CHECK(circuit.state() == Circuit::State::closed);
}

TEST_CASE("weighted turns: smooth, and without debts of those who may not") {
  WeightedTurns turns;
  for (const std::uint32_t weight : {2u, 1u, 1u}) {
    turns.add(weight);
  }
  const auto row = [&](int count, const auto& may) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      const auto next = turns.next(may);
      text += next ? static_cast<char>('a' + *next) : '-';
    }
    return text;
  };
  const auto all = [](std::size_t) { return true; };
  CHECK(row(8, all) == "abcaabca");
  CHECK(row(6, [](std::size_t i) { return i != 0; }) == "bcbcbc");
  CHECK(row(8, all) == "abcaabca");
  CHECK(row(3, [](std::size_t i) { return i == 2; }) == "ccc");
  CHECK(row(2, [](std::size_t) { return false; }) == "--");
}

}  // namespace ringpost::engine
