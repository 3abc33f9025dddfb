// What is said of the time in which an endpoint could not do more.
#include "engine/limiting_factor.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "tests/engine/worker_world.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

Counter& held(RouteStats& stats, LimitingFactor factor) {
  return stats.held_ns[static_cast<std::size_t>(factor)];
}

}  // namespace

TEST_CASE("limiting factor: shares are of all workers, and of the time with something to send") {
  RouteStats one;
  RouteStats other;
  CHECK(limiting_factors({&one, &other}).empty());
  held(one, LimitingFactor::nothing).add(1'000'000);
  CHECK(limiting_factors({&one, &other}).empty());
  held(one, LimitingFactor::rate).add(600);
  held(other, LimitingFactor::rate).add(150);
  held(other, LimitingFactor::input).add(250);
  const std::vector<FactorShare> shares = limiting_factors({&one, &other});
  REQUIRE(shares.size() == 2);
  CHECK(shares[0].factor == "rate");
  CHECK(shares[0].share == Catch::Approx(0.75));
  CHECK(shares[1].factor == "input");
  CHECK(shares[1].share == Catch::Approx(0.25));
}

TEST_CASE("limiting factor: a server is slow where transactions take longer than the fastest did") {
  RouteStats stats;
  held(stats, LimitingFactor::replies).add(1000);
  stats.note_transaction(50ms);
  stats.note_transaction(60ms);
  CHECK(limiting_factors({&stats}).front().factor == "round trips");
  for (int i = 0; i < 20; ++i) {
    stats.note_transaction(200ms);
  }
  CHECK(limiting_factors({&stats}).front().factor == "server");
}

TEST_CASE("limiting factor: a route says what it waits for") {
  RouteStats stats;
  const auto longest = [&] { return limiting_factors({&stats}).front().factor; };
  SECTION("a rate") {
    test::World world({.rates = {messages_per_second(1)}, .stats = &stats});
    for (int i = 0; i < 5; ++i) {
      world.submit("job-" + std::to_string(i));
    }
    world.run_for(3s);
    CHECK(longest() == "rate");
  }
  SECTION("an endpoint that is not there") {
    test::World world({.connect_attempts_max = 0, .patience = 1min, .stats = &stats});
    world.server.refuses = [](const std::string&) { return true; };
    world.submit("job");
    world.run_for(20s);
    CHECK(longest() == "away");
  }
  SECTION("another attempt") {
    test::World world({.stats = &stats});
    world.server.answer = [](auto&, const std::string& command) {
      return command.starts_with("RCPT") ? ringpost::test::says("451 later\r\n")
                                         : ringpost::test::ordinary;
    };
    world.submit("job");
    world.run_for(4s);
    CHECK(longest() == "retries");
  }
}

}  // namespace ringpost::engine
