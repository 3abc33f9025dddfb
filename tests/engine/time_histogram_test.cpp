#include "engine/time_histogram.h"

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include "engine/limiting_factor.h"
#include "tests/engine/worker_world.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_CASE("time histogram: every time falls into a bucket whose middle is 1.6 % off at most") {
  std::mt19937_64 random(Catch::getSeed());
  std::size_t bucket_before = 0;
  for (std::uint64_t us = 0; us < 1'000'000'000; us += 1 + us / 100 + random() % (1 + us / 100)) {
    CAPTURE(us);
    const std::size_t bucket = TimeHistogram::bucket_of(us);
    REQUIRE(bucket >= bucket_before);
    REQUIRE(bucket < TimeHistogram::bucket_count);
    bucket_before = bucket;
    const auto middle = static_cast<double>(TimeHistogram::middle_of(bucket).count()) / 1000;
    const double off = middle - static_cast<double>(us);
    REQUIRE((us < 64 ? off == 0 : std::abs(off) <= static_cast<double>(us) / 64));
  }
  CHECK(TimeHistogram::bucket_of(UINT64_MAX) == TimeHistogram::bucket_count - 1);
}

TEST_CASE("time histogram: sums, and counts within fixed bounds, are to within 1.6 %") {
  const auto histogram = std::make_unique<TimeHistogram>();
  for (const Duration taken : {Duration(0ms), Duration(1ms), Duration(4ms), Duration(40ms),
                               Duration(40ms), Duration(20s), Duration(10min)}) {
    histogram->note(taken);
  }
  TimeSum all;
  all.add(*histogram);
  const TimeSpread spread = all.spread();
  const double seconds = std::chrono::duration<double>(spread.sum).count();
  CHECK(std::abs(seconds - 620.085) < 620.085 / 64);
  CHECK(spread.within[1] == 2);  // 2.5 ms
  CHECK(spread.within[2] == 3);
  CHECK(spread.within[4] == 3);  // 25 ms
  CHECK(spread.within[5] == 5);
  CHECK(spread.within[12] == 5);  // 10 s
  CHECK(spread.within[13] == 6);
  CHECK(spread.within.back() == 6);  // 5 min
  CHECK(spread.count == 7);
  CHECK(TimeSum().spread().within == TimeSpread().within);
}

TEST_CASE("time histogram: percentiles are those of all that was noted in any of them") {
  const auto fast = std::make_unique<TimeHistogram>();
  const auto slow = std::make_unique<TimeHistogram>();
  for (int i = 0; i < 980; ++i) {
    fast->note(20us);
  }
  for (int i = 0; i < 19; ++i) {
    slow->note(40us);
  }
  slow->note(2s);
  TimeSum sum;
  CHECK(sum.spread().count == 0);
  CHECK(sum.spread().max == 0s);
  sum.add(*fast);
  sum.add(*slow);
  const TimeSpread spread = sum.spread();
  CHECK(spread.count == 1000);
  CHECK(spread.p50 == 20us);
  CHECK(spread.p90 == 20us);
  CHECK(spread.p99 == 40us);
  CHECK(spread.p999 == 40us);
  CHECK(spread.max > 1960ms);
  CHECK(spread.max < 2040ms);
}

TEST_CASE("endpoint counts: replies to end of data are timed, and nothing else is") {
  RouteStats stats;
  test::World world({.stats = &stats});
  for (int i = 0; i < 5; ++i) {
    world.submit("job-" + std::to_string(i));
  }
  world.server.answer = [](auto&, const std::string& command) {
    return command.starts_with("RCPT TO:<b@") ? ringpost::test::says("550 no\r\n")
                                              : ringpost::test::ordinary;
  };
  world.submit("refused", {"b@b.example"});
  world.run_for(1s);
  const EndpointCounts counts = endpoint_counts({&stats}, world.io.now());
  CHECK(counts.transactions == 6);
  CHECK(counts.reply_times.count == 5);
  CHECK(counts.sessions == 1);
  CHECK(counts.sessions_opened == 1);
  CHECK(counts.sessions_ready == 1);
  CHECK(counts.opening_times.count == 1);
  CHECK(counts.waiting == 0);
  CHECK_FALSE(counts.next_attempt_in);
}

TEST_CASE("endpoint counts: what waits for another attempt is known with its time") {
  RouteStats stats;
  test::World world({.stats = &stats});
  world.server.answer = [](auto&, const std::string& command) {
    return command.starts_with("RCPT") ? ringpost::test::says("451 later\r\n")
                                       : ringpost::test::ordinary;
  };
  world.submit("one");
  world.submit("two");
  world.run_for(100ms);
  const EndpointCounts counts = endpoint_counts({&stats}, world.io.now());
  CHECK(counts.waiting == 2);
  REQUIRE(counts.next_attempt_in);
  CHECK(*counts.next_attempt_in > 0s);
  // Later than it was due, nobody waits any longer than for a moment.
  CHECK(endpoint_counts({&stats}, world.io.now() + 1h).next_attempt_in == Duration::zero());
}

}  // namespace ringpost::engine
