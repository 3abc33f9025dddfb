#include "tools/bench/schedule.h"

#include <chrono>

#include <catch2/catch_test_macros.hpp>

using namespace std::chrono_literals;

namespace ringpost::cli {
namespace {

constexpr Instant noon = Instant{} + 12h;

TEST_CASE("schedule: messages are due evenly, whatever the rate") {
  const Schedule schedule(noon, 1000);
  CHECK(schedule.due_at(0) == noon);
  CHECK(schedule.due_at(1) == noon + 1ms);
  CHECK(schedule.due_at(86'400'000) == noon + 24h);
  CHECK(Schedule(noon, 0.5).due_at(3) == noon + 6s);
}

TEST_CASE("schedule: nothing adds up, also where an interval has no whole nanoseconds") {
  const Schedule schedule(noon, 3);
  CHECK(schedule.due_at(3) == noon + 1s);
  CHECK(schedule.due_at(3 * 86'400) == noon + 24h);
  for (std::uint64_t number = 0; number < 10'000; ++number) {
    const auto step = schedule.due_at(number + 1) - schedule.due_at(number);
    CHECK((step == 333'333'333ns || step == 333'333'334ns));
  }
}

TEST_CASE("schedule: what is due within a time is all that stands before its end") {
  const Schedule schedule(noon, 1000);
  CHECK(schedule.count_within(0s) == 0);
  CHECK(schedule.count_within(1ms) == 1);
  CHECK(schedule.count_within(3s) == 3000);
  CHECK(schedule.count_within(2500us) == 3);
  for (const double rate : {3.0, 7.0, 14.0, 333.3, 99'999.0}) {
    const Schedule odd(noon, rate);
    const std::uint64_t count = odd.count_within(10s);
    CHECK(odd.due_at(count - 1) < noon + 10s);
    CHECK(odd.due_at(count) >= noon + 10s);
  }
}

}  // namespace
}  // namespace ringpost::cli
