// Messages that somebody takes back, on a machine without a kernel.
#include <algorithm>
#include <memory>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/engine/worker_world.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;
using ringpost::test::FakeSession;
using ringpost::test::ordinary;
using ringpost::test::says;
using test::World;

std::size_t transactions_of(const FakeSession& session) {
  return static_cast<std::size_t>(
      std::count_if(session.commands.begin(), session.commands.end(),
                    [](const std::string& line) { return line.starts_with("MAIL"); }));
}

}  // namespace

TEST_CASE("route: what is taken back while it waits is unsent, and the others go") {
  const bool is_queued = GENERATE(true, false);  // or the session's worker has it already
  CAPTURE(is_queued);
  World world({.rates = {{.window = {1, 60s}}}});
  world.submit("first");
  world.run_for(1s);
  REQUIRE(world.decided_count() == 1);
  const auto client = std::make_shared<Cancellation>("nobody waits for it");
  std::vector<Consignment*> jobs;
  // More than are taken from the queue at once.
  for (int i = 0; i < 40; ++i) {
    jobs.push_back(&world.add_job("job-" + std::to_string(i)));
    jobs.back()->message.cancellation = i == 30 ? nullptr : client;
  }
  if (is_queued) {
    client->cancel();
  }
  world.push(jobs);
  world.run_for(1s);
  world.cancel(*client);
  world.run_for(1s);
  CHECK(world.decided_count() == 40);
  world.run();
  for (int i = 0; i < 40; ++i) {
    const Outcome& outcome = world.outcome(*jobs[static_cast<std::size_t>(i)]);
    CHECK(outcome.status == (i == 30 ? Status::accepted : Status::unsent));
    CHECK(outcome.reason == (i == 30 ? "" : "nobody waits for it"));
    CHECK(outcome.attempts == (i == 30 ? 1 : 0));
  }
  std::size_t begun = 0;
  for (const FakeSession& session : world.io.sessions()) {
    begun += transactions_of(session);
  }
  CHECK(begun == 2);
}

TEST_CASE("route: what is taken back while a server has put it off keeps the server's words") {
  World world({.attempts_max = 5});
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command.starts_with("MAIL") ? says("451 4.3.0 later\r\n") : ordinary;
  };
  Consignment& taken_back = world.add_job("one");
  taken_back.message.cancellation = std::make_shared<Cancellation>("nobody waits for it");
  Consignment& other = world.add_job("other");
  other.message.cancellation = std::make_shared<Cancellation>("nobody waits for it");
  world.push({&taken_back, &other});
  world.run_for(100ms);
  CHECK(world.decided_count() == 0);
  world.cancel(*taken_back.message.cancellation);
  world.run_for(200ms);
  CHECK(world.decided_count() == 1);
  CHECK(world.outcome(taken_back).status == Status::deferred);
  CHECK(world.outcome(taken_back).code == 451);
  world.run();
  CHECK(world.outcome(other).attempts == 5);
}

TEST_CASE("route: what a session has begun goes on when it is taken back") {
  World world;
  Consignment& job = world.add_job("one");
  job.message.cancellation = std::make_shared<Cancellation>("nobody waits for it");
  world.server.answer = [&](FakeSession&, const std::string& command) {
    if (command == "DATA") {
      world.cancel(*job.message.cancellation);
    }
    return ordinary;
  };
  world.push({&job});
  world.run();
  CHECK(world.outcome(job).status == Status::accepted);
}

TEST_CASE("route: what is taken back behind its endpoint's end keeps nobody awake") {
  World world({.patience = 1s});
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command.starts_with("EHLO") || command.starts_with("HELO") ? says("550 5.7.1 no\r\n")
                                                                      : ordinary;
  };
  Consignment& job = world.add_job("one");
  job.message.cancellation = std::make_shared<Cancellation>("nobody waits for it");
  world.push({&job});
  world.run();
  CHECK(world.outcome(job).status == Status::unsent);
  world.cancel(*job.message.cancellation);
  world.run_for(1s);  // which fails when it takes too many turns
  CHECK(world.decided_count() == 1);
}

}  // namespace ringpost::engine
