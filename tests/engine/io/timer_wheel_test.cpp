#include "engine/io/timer_wheel.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using io::TimerWheel;
using namespace std::chrono_literals;

namespace {

constexpr Instant start{1h};
constexpr Duration tick = 50ms;

std::vector<std::uint32_t> due_at(TimerWheel& wheel, Instant now) {
  std::vector<std::uint32_t> due;
  wheel.expire(now, due);
  std::sort(due.begin(), due.end());
  return due;
}

using Owners = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("timer wheel: an empty one wants nothing") {
  TimerWheel wheel(start);
  CHECK(wheel.next() == never);
  CHECK(due_at(wheel, start + 1h).empty());
  CHECK(wheel.next() == never);
}

TEST_CASE("timer wheel: a deadline comes once, never before its time and at most a tick after") {
  TimerWheel wheel(start);
  wheel.set(3, start + 120ms);
  CHECK(wheel.next() >= start + 120ms);
  CHECK(wheel.next() <= start + 120ms + tick);
  CHECK(due_at(wheel, start + 119ms).empty());
  CHECK(due_at(wheel, start + 120ms + tick) == Owners{3});
  CHECK(due_at(wheel, start + 1h).empty());
  CHECK(wheel.next() == never);
}

TEST_CASE("timer wheel: a deadline on a tick comes on that tick") {
  TimerWheel wheel(start);
  wheel.set(0, start + 100ms);
  CHECK(wheel.next() == start + 100ms);
  CHECK(due_at(wheel, start + 100ms) == Owners{0});
}

TEST_CASE("timer wheel: a deadline that was moved away does not come at its old time") {
  TimerWheel wheel(start);
  wheel.set(0, start + 1s);
  wheel.set(0, start + 5s);
  CHECK(due_at(wheel, start + 4s).empty());
  CHECK(wheel.next() <= start + 5s + tick);
  CHECK(due_at(wheel, start + 5s + tick) == Owners{0});
}

TEST_CASE("timer wheel: a deadline that was moved nearer comes at its new time") {
  TimerWheel wheel(start);
  wheel.set(0, start + 5s);
  wheel.set(0, start + 1s);
  CHECK(wheel.next() <= start + 1s + tick);
  CHECK(due_at(wheel, start + 1s + tick) == Owners{0});
  CHECK(due_at(wheel, start + 6s).empty());
}

TEST_CASE("timer wheel: a deadline that was removed does not come, and may be set again") {
  TimerWheel wheel(start);
  wheel.set(0, start + 1s);
  wheel.set(0, never);
  CHECK(due_at(wheel, start + 2s).empty());
  CHECK(wheel.next() == never);
  wheel.set(0, start + 3s);
  CHECK(due_at(wheel, start + 4s) == Owners{0});
  wheel.set(7, never);
  CHECK(wheel.next() == never);
}

TEST_CASE("timer wheel: a deadline in the past is due at once") {
  TimerWheel wheel(start);
  static_cast<void>(due_at(wheel, start + 10s));
  wheel.set(0, start + 1s);
  wheel.set(1, start - 1h);
  CHECK(wheel.next() <= start + 10s + tick);
  CHECK(due_at(wheel, start + 10s + tick) == Owners{0, 1});
}

TEST_CASE("timer wheel: deadlines beyond its round come at their time") {
  TimerWheel wheel(start);
  wheel.set(0, start + 10min);
  wheel.set(1, start + 25h);
  for (Instant now = start; now < start + 10min; now += 7s) {
    REQUIRE(due_at(wheel, now).empty());
    REQUIRE(wheel.next() > now - tick);
  }
  CHECK(due_at(wheel, start + 10min + tick) == Owners{0});
  // After a long sleep all at once.
  CHECK(due_at(wheel, start + 30h) == Owners{1});
}

TEST_CASE("timer wheel: owners of one tick come together") {
  TimerWheel wheel(start);
  Owners all;
  for (std::uint32_t owner = 0; owner < 1000; ++owner) {
    wheel.set(owner, start + 1s);
    all.push_back(owner);
  }
  CHECK(due_at(wheel, start + 1s) == all);
}

TEST_CASE("timer wheel: it agrees with a list that is searched from end to end") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 50; ++round) {
    TimerWheel wheel(start);
    std::map<std::uint32_t, Instant> model;
    Instant now = start;
    for (int step = 0; step < 2000; ++step) {
      const auto owner = static_cast<std::uint32_t>(random() % 40);
      const Duration away = std::chrono::milliseconds(random() % (step % 3 == 0 ? 60'000 : 400));
      if (random() % 8 == 0) {
        wheel.set(owner, never);
        model.erase(owner);
      } else {
        wheel.set(owner, now + away);
        model[owner] = now + away;
      }
      if (random() % 4 != 0) {
        continue;
      }
      // Either when the wheel says so or at any time.
      const Instant next = wheel.next();
      REQUIRE((model.empty() || next != never));
      const bool follow = random() % 2 == 0 && next != never;
      now = follow ? std::max(now, next) : now + std::chrono::milliseconds(random() % 3000);
      for (const std::uint32_t due : due_at(wheel, now)) {
        REQUIRE(model.contains(due));
        REQUIRE(model[due] <= now);
        model.erase(due);
      }
      for (const auto& [late, deadline] : model) {
        REQUIRE(deadline + tick > now);
      }
    }
  }
}
