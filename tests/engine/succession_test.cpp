#include "engine/succession.h"

#include <catch2/catch_test_macros.hpp>

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

// Opening one takes 240 ms, and each message 100 ms.
Succession succession_at_work() {
  Succession succession;
  for (int i = 0; i < 100; ++i) {
    succession.opened(240ms);
    succession.given(100ms);
  }
  return succession;
}

}  // namespace

TEST_CASE("succession: a successor is ordered so long before as opening one takes") {
  const Succession succession = succession_at_work();
  CHECK(succession.successors({.messages_left = 5, .messages_max = 100}) == 0);
  CHECK(succession.successors({.messages_left = 4, .messages_max = 100}) == 1);
  CHECK(succession.successors({.messages_left = 0, .messages_max = 100}) == 1);
  CHECK(succession.successors({}) == 0);
}

TEST_CASE("succession: age ends a session, too") {
  const Succession succession = succession_at_work();
  CHECK(succession.successors({.messages_left = 50, .messages_max = 100, .time_left = 1s}) == 0);
  CHECK(succession.successors({.messages_left = 50, .messages_max = 100, .time_left = 300ms}) == 1);
  CHECK(succession.successors({.time_left = -1s}) == 1);
}

TEST_CASE("succession: one that lasts shorter than opening takes has several") {
  const Succession succession = succession_at_work();
  CHECK(succession.successors({.messages_left = 0, .messages_max = 2}) == 3);
  CHECK(succession.successors({.messages_left = 2, .messages_max = 2}) == 2);
  // Bounded, however fast messages are taken.
  Succession fast;
  fast.opened(10s);
  fast.given(0s);
  CHECK(fast.successors({.messages_left = 1, .messages_max = 1}) == 41);
}

TEST_CASE("succession: before anything is known one follows the last message") {
  const Succession succession;
  CHECK(succession.successors({.messages_left = 1, .messages_max = 5}) <= 1);
  CHECK(succession.successors({.messages_left = 0, .messages_max = 5}) == 1);
}

TEST_CASE("succession: what a server ends is ended some seconds before, and not at once") {
  CHECK(ended_before(60s) == 48s);
  CHECK(ended_before(10s) == 8s);
  CHECK(ended_before(3s) == 1500ms);
}

}  // namespace ringpost::engine
