#include "engine/rate_limit.h"

#include <atomic>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

const Instant start = Instant(1000h);

int take_all(RateLimit& rate, Instant now) {
  int count = 0;
  while (count < 1'000'000 && rate.take(now)) {
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("rate limit: without a limit everything may go") {
  const double none = GENERATE(0.0, -1.0);
  RateLimit rate(none);
  CHECK(rate.unlimited());
  CHECK(take_all(rate, start) == 1'000'000);
}

TEST_CASE("rate limit: a slow rate gives one at a time, and a fast one a twentieth of a second's") {
  RateLimit slow(14);
  CHECK(take_all(slow, start) == 1);
  RateLimit fast(1000);
  CHECK(take_all(fast, start) == 50);
}

TEST_CASE("rate limit: what was not used for a long time does not add up") {
  RateLimit rate(1000);
  CHECK(take_all(rate, start) == 50);
  CHECK(take_all(rate, start + 1h) == 50);
  CHECK(take_all(rate, start + 1h) == 0);
}

TEST_CASE("rate limit: next() is the moment when one more may go, and not one earlier") {
  const double messages_per_second = GENERATE(0.01, 3.0, 14.0, 1000.0, 999'999.0);
  RateLimit rate(messages_per_second);
  Instant now = start;
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(take_all(rate, now));
    const Instant next = rate.next();
    REQUIRE(next > now);
    REQUIRE_FALSE(rate.take(next - 1ns));
    REQUIRE(rate.take(next));
    now = next;
  }
}

TEST_CASE("rate limit: over ten seconds the rate is kept, and used up") {
  const double messages_per_second = GENERATE(2.0, 14.0, 250.0, 20'000.0);
  RateLimit rate(messages_per_second);
  int count = 0;
  for (Instant now = start; now < start + 10s; now += 1ms) {
    count += take_all(rate, now);
  }
  const double burst = std::max(1.0, messages_per_second / 20);
  CHECK(count >= static_cast<int>(10 * messages_per_second) - 1);
  CHECK(count <= static_cast<int>(10 * messages_per_second + burst) + 1);
}

TEST_CASE("rate limit: a rate next to nothing gives one message and does not overflow") {
  const double almost_nothing = GENERATE(1e-9, 1e-20, 5e-324);
  RateLimit rate(almost_nothing);
  CHECK_FALSE(rate.unlimited());
  CHECK(take_all(rate, start) == 1);
  CHECK(rate.next() > start + 24h);
  CHECK_FALSE(rate.take(start + 24h));
}

TEST_CASE("rate limit: several threads together get what one would") {
  RateLimit rate(100'000);
  constexpr int rounds = 200;
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        taken += take_all(rate, start + round * 1ms);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  // A full bucket of 5000 at the start and 100 a millisecond after that. Threads that are behind in
  // time take nothing more.
  CHECK(taken.load() <= 5000 + 100 * (rounds - 1));
  CHECK(taken.load() >= 5000 + 100 * (rounds - 1) - 1);
}

}  // namespace ringpost::engine
