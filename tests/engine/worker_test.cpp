// The loop of a worker, turned by hand.
#include "engine/worker.h"

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

}  // namespace

TEST_CASE("worker: without work it parks and sleeps until it is woken") {
  World world;
  REQUIRE(world.worker.turn());
  CHECK(world.io.asleep());
  CHECK(world.io.deadline() == never);
  CHECK(world.io.sessions().empty());
}

TEST_CASE("worker: a job that is pushed just before it parks is not slept over") {
  World world;
  // Pushed while the worker is not parked, so that nobody wakes it: before its first turn, and
  // later between two turns of a worker that has no session.
  const bool turned_before = GENERATE(false, true);
  if (turned_before) {
    REQUIRE(world.worker.turn());
  }
  CHECK_FALSE(world.worker.parked().load());
  const Consignment& job = world.submit("one");
  world.run();
  CHECK(world.outcome(job).status == Status::accepted);
}

TEST_CASE("worker: nor is one that is pushed when all its sessions have ended") {
  World world;
  const Consignment& first = world.submit("one");
  world.run();
  CHECK(world.outcome(first).status == Status::accepted);
  world.io.say(0, {"421 idle for too long\r\n", true});
  world.run();
  CHECK(world.io.sockets_open() == 0);
  const Consignment& second = world.submit("two");
  world.run();
  CHECK(world.outcome(second).status == Status::accepted);
  CHECK(world.io.sessions().size() == 2);
}

TEST_CASE("worker: while it waits for a canary or a pause it sleeps, and does not spin") {
  World world({.connections_max = 3});
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command == "CONNECT" ? says("") : ordinary;
  };
  for (int i = 0; i < 10; ++i) {
    world.submit("job-" + std::to_string(i));
  }
  world.run_for(1s);
  CHECK(world.io.asleep());
  CHECK(world.stats.turns.get() < 20);

  // Both of its addresses, one after the other.
  for (const std::size_t session : {0u, 1u}) {
    REQUIRE(world.io.sessions().size() == session + 1);
    world.io.say(world.io.sessions()[session].handle, {"", true});
    world.run_for(1ms);
  }
  CHECK(world.io.asleep());
  CHECK(world.io.deadline() > world.io.now());
  CHECK(world.io.deadline() <= world.io.now() + 313ms);
  CHECK(world.stats.turns.get() < 30);
}

TEST_CASE("worker: a server that never answers is met with a time-out at each stage") {
  struct Silence {
    std::string at;
    Stage stage;
    Status status;
  };
  const auto silence = GENERATE(
      Silence{"EHLO client.example", Stage::ehlo, Status::unsent},
      Silence{"MAIL FROM:<sender@a.example>", Stage::mail, Status::unsent},
      Silence{"DATA", Stage::data, Status::unsent}, Silence{".", Stage::eod, Status::unknown});
  CAPTURE(silence.at);
  World world({.attempts_max = 2, .connect_attempts_max = 2, .command_timeout = 10s});
  world.server.answer = [&](FakeSession&, const std::string& command) {
    return command == silence.at ? says("") : ordinary;
  };
  const Consignment& job = world.submit("one");
  const Instant begin = world.io.now();
  world.run();
  CHECK(world.outcome(job).status == silence.status);
  CHECK(world.outcome(job).stage == silence.stage);
  CHECK(world.io.now() - begin >= 10s);
  CHECK(world.io.now() - begin < 21min);
  CHECK(world.io.sockets_open() == 0);
}

TEST_CASE("worker: told to finish it says QUIT, closes, and is over") {
  World world({.connections_max = 3});
  for (int i = 0; i < 30; ++i) {
    world.submit("job-" + std::to_string(i));
  }
  world.run();
  CHECK(world.decided_count() == 30);
  world.give(WorkerOrder::finish);
  world.run();
  CHECK(world.is_over());
  CHECK(world.io.sockets_open() == 0);
  for (const FakeSession& session : world.io.sessions()) {
    CHECK(session.commands.back() == "QUIT");
  }
}

TEST_CASE("worker: told to finish it does not wait long for a server that ignores QUIT") {
  World world;
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command == "QUIT" ? says("") : ordinary;
  };
  world.submit("one");
  world.run();
  const Instant begin = world.io.now();
  world.give(WorkerOrder::finish);
  world.run();
  CHECK(world.is_over());
  CHECK(world.io.now() - begin <= 6s);
}

TEST_CASE("worker: told to finish while a session is being opened it closes it and is over") {
  World world;
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command == "CONNECT" ? says("") : ordinary;
  };
  world.submit("one");
  world.run_for(1s);
  world.give(WorkerOrder::abort);
  world.run_for(1s);
  CHECK(world.decided_count() == 1);
  world.give(WorkerOrder::finish);
  world.run_for(1s);
  CHECK(world.is_over());
}

TEST_CASE("worker: without sessions it is over at once when told to finish") {
  World world;
  world.give(WorkerOrder::finish);
  world.run();
  CHECK(world.is_over());
  CHECK(world.stats.turns.get() == 1);
}

TEST_CASE("worker: numbers of ended connections are used again, and late timers do not hit them") {
  World world({.connect_attempts_max = 1000, .command_timeout = 1min});
  // Each session is ended by the server, behind one message, with its timers still in the wheel.
  world.server.answer = [](FakeSession& session, const std::string& command) {
    return command.starts_with("MAIL") && session.accepted > 0 ? says("421 4.7.0 enough\r\n", true)
                                                               : ordinary;
  };
  for (int i = 0; i < 200; ++i) {
    world.submit("job-" + std::to_string(i));
    world.run_for(700ms);
  }
  world.run();
  CHECK(world.decided_count() == 200);
  int accepted = 0;
  for (const FakeSession& session : world.io.sessions()) {
    accepted += session.accepted;
  }
  CHECK(accepted == 200);
}

}  // namespace ringpost::engine
