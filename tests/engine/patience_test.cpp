// A worker and an endpoint that is away, or is partly there: what it costs in time, connections and
// attempts. Time is the test's.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/engine/worker_world.h"

namespace ringpost::engine::test {

namespace {

using namespace std::chrono_literals;
using ringpost::test::FakeSession;
using ringpost::test::ordinary;
using ringpost::test::says;

std::vector<std::string> dead_and_one(int dead) {
  std::vector<std::string> addresses;
  for (int i = 1; i <= dead; ++i) {
    addresses.push_back("192.0.2." + std::to_string(i));
  }
  addresses.emplace_back("198.51.100.1");
  return addresses;
}

const std::string the_living = "198.51.100.1:587";

// The server is gone, with all its sessions.
void take_away(World& world) {
  world.server.refuses = [](const std::string&) { return true; };
  for (const FakeSession& session : std::deque<FakeSession>(world.io.sessions())) {
    if (!session.ended) {
      world.io.say(session.handle, {"", true});
    }
  }
}

}  // namespace

TEST_CASE("dial: however many addresses refuse, the one that lives is found at once") {
  const int dead = GENERATE(1, 4, 8, 40);
  World world({.addresses = dead_and_one(dead)});
  world.server.refuses = [](const std::string& address) { return address != the_living; };
  const Consignment& job = world.submit("one");
  world.run_for(30s);
  CHECK(world.outcome(job).status == Status::accepted);
  CHECK(world.outcome(job).peer == the_living);
  CHECK(world.outcome(job).attempts == 1);
  CHECK(world.outcome(job).total_ms < 10);
  CHECK(world.io.sockets_open() == 1);
  CHECK_FALSE(world.gate.failed());
}

TEST_CASE("dial: addresses that never answer cost a quarter of a second each, once") {
  const int dead = GENERATE(1, 4, 8);
  World world({.addresses = dead_and_one(dead)});
  int ignored = 0;
  world.server.ignores = [&](const std::string& address) {
    ignored += address != the_living ? 1 : 0;
    return address != the_living;
  };
  const Consignment& first = world.submit("first");
  world.run_for(9s);
  CHECK(world.outcome(first).status == Status::accepted);
  CHECK(world.outcome(first).total_ms >= 250.f * static_cast<float>(dead));
  CHECK(world.outcome(first).total_ms < 250.f * static_cast<float>(dead) + 10);
  CHECK(ignored == dead);
  // Nothing is left of them, and the next session knows better.
  CHECK(world.io.sockets_open() == 1);
  world.io.say(world.io.sessions()[0].handle, {"421 4.4.2 idle\r\n", true});
  const Consignment& second = world.submit("second");
  world.run_for(1s);
  CHECK(world.outcome(second).status == Status::accepted);
  CHECK(world.outcome(second).total_ms < 10);
  CHECK(ignored == dead);
}

TEST_CASE("dial: when nobody answers all have their time, side by side, and are told apart") {
  World world({.connect_attempts_max = 1, .addresses = {"192.0.2.1", "192.0.2.2", "192.0.2.3"}});
  world.server.ignores = [](const std::string& address) { return address != "192.0.2.3:587"; };
  world.server.refuses = [](const std::string&) { return true; };
  const Consignment& job = world.submit("one");
  world.run();
  const Outcome& outcome = world.outcome(job);
  CHECK(outcome.status == Status::unsent);
  CHECK(outcome.stage == Stage::connect);
  CHECK(outcome.total_ms >= 10'000.f);
  CHECK(outcome.total_ms < 10'600.f);
  CHECK(
      outcome.reason.find("192.0.2.3:587: Connection refused; 192.0.2.1:587: no answer in 10 s") !=
      std::string::npos);
  CHECK(world.io.sockets_open() == 0);
}

TEST_CASE("dial: a single address has the whole time-out") {
  World world({.connect_attempts_max = 1, .addresses = {"192.0.2.1"}});
  world.server.ignores = [](const std::string&) { return true; };
  const Consignment& job = world.submit("one");
  world.run();
  CHECK(world.outcome(job).total_ms >= 30'000.f);
  CHECK(world.outcome(job).total_ms < 30'100.f);
}

TEST_CASE("greeting: a silent address is left for one that has not failed behind ten seconds") {
  World world({.addresses = {"192.0.2.1", "198.51.100.1"}});
  world.server.answer = [](FakeSession& session, const std::string& command) {
    return session.address != the_living && command == "CONNECT" ? says("") : ordinary;
  };
  const Consignment& job = world.submit("one");
  world.run_for(25s);
  CHECK(world.outcome(job).peer == the_living);
  CHECK(world.outcome(job).total_ms >= 10'000.f);
  CHECK(world.outcome(job).total_ms < 12'000.f);
}

TEST_CASE("greeting: a slow one is waited for where the other addresses have just refused") {
  World world({.addresses = {"192.0.2.1", "198.51.100.1"}});
  world.server.refuses = [](const std::string& address) { return address != the_living; };
  const auto living = [&]() -> const FakeSession& {
    const auto& sessions = world.io.sessions();
    return *std::find_if(sessions.begin(), sessions.end(), [](const FakeSession& session) {
      return session.address == the_living && !session.ended;
    });
  };
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command == "CONNECT" ? says("") : ordinary;
  };
  const Consignment& job = world.submit("one");
  world.run_for(12s);  // of which nothing is due behind the tenth
  world.io.pause(2s);
  world.io.say(living().handle, {"220 slow.example\r\n"});
  world.run_for(1s);
  CHECK(world.outcome(job).status == Status::accepted);
  CHECK(world.outcome(job).total_ms >= 12'000.f);
  CHECK(world.outcome(job).total_ms < 12'100.f);
}

TEST_CASE("greeting: who has only restarted is asked again while another address is silent") {
  World world({.addresses = {"198.51.100.1", "192.0.2.1"}});
  bool restarts = true;
  world.server.refuses = [&](const std::string& address) {
    return restarts && address == the_living;
  };
  world.server.answer = [](FakeSession& session, const std::string& command) {
    return session.address != the_living && command == "CONNECT" ? says("") : ordinary;
  };
  const Consignment& job = world.submit("one");
  world.run_for(15s);
  restarts = false;
  CHECK(world.decided_count() == 0);
  world.run_for(30s);
  CHECK(world.outcome(job).peer == the_living);
  CHECK(world.outcome(job).total_ms >= 30'000.f);
}

TEST_CASE("dial: it can be ended at any moment, and leaves no socket open") {
  const Duration after = GENERATE(0ms, 1ms, 300ms, 600ms, 11s);
  World world({.addresses = {"192.0.2.1", "192.0.2.2", "192.0.2.3"}});
  world.server.ignores = [](const std::string&) { return true; };
  world.submit("one");
  world.run_for(after);
  world.give(WorkerOrder::abort);
  world.run_for(1ms);
  world.give(WorkerOrder::finish);
  world.run_for(1ms);
  CHECK(world.is_over());
  CHECK(world.decided_count() == 1);
  CHECK(world.io.sockets_open() == 0);
}

TEST_CASE("dial: without sockets for all of them it makes do with those that there are") {
  World world({.addresses = dead_and_one(8)});
  world.io.sockets_max = 2;
  world.server.refuses = [](const std::string& address) { return address != the_living; };
  const Consignment& job = world.submit("one");
  world.run_for(30s);
  CHECK(world.outcome(job).status == Status::accepted);
}

TEST_CASE("patience: a relay that is restarted costs no message more than a second attempt") {
  const Duration outage = GENERATE(3s, 60s, 9min);
  const std::uint32_t connections = GENERATE(1u, 5u);
  CAPTURE(connections);
  World world({.connections_max = connections,
               .attempts_max = 2,
               .connect_attempts_max = 0,
               .addresses = {"192.0.2.1"}});
  // Nothing is answered from the sixth message on, so that some are in flight.
  world.server.answer = [&](FakeSession& session, const std::string& command) {
    return session.accepted >= 5 && command == "DATA" ? says("") : ordinary;
  };
  std::vector<const Consignment*> jobs;
  for (int i = 0; i < 100; ++i) {
    jobs.push_back(&world.submit("job-" + std::to_string(i)));
  }
  world.run_for(1s);
  const std::size_t sessions_before = world.io.sessions().size();
  REQUIRE(sessions_before == connections);
  take_away(world);
  world.run_for(outage);
  CHECK_FALSE(world.gate.failed());
  CHECK(world.gate.away_for(world.io.now()));
  world.server.refuses = {};
  world.server.answer = {};
  const Instant back_at = world.io.now();
  world.run_for(20s);
  CHECK(world.decided_count() == 100);
  for (const Consignment* const job : jobs) {
    REQUIRE(world.outcome(*job).status == Status::accepted);
    CHECK(world.outcome(*job).attempts <= 2);
  }
  CHECK(world.io.now() - back_at <= 20s);
  CHECK(world.io.sessions().size() == 2 * sessions_before);
}

TEST_CASE("patience: a message that two sessions of a dying server had is not set aside") {
  World world({.connections_max = 2, .attempts_max = 5, .connect_attempts_max = 0});
  std::size_t in_data = 0;
  world.server.answer = [&](FakeSession&, const std::string& command) {
    in_data += command == "DATA" ? 1u : 0u;
    return command == "DATA" ? says("") : ordinary;
  };
  const Consignment& first = world.submit("first");
  world.run_for(1s);
  // Another session that is open and free.
  world.submit("second");
  world.run_for(1s);
  REQUIRE(world.io.sessions().size() == 2);
  // The session of `second` is free again; then the one of `first` ends, and `first` comes there.
  world.io.say(world.io.sessions()[1].handle, {"451 4.3.0 later\r\n"});
  world.run_for(100ms);
  world.io.say(world.io.sessions()[0].handle, {"", true});
  world.run_for(1ms);
  REQUIRE(in_data == 3);
  // That one ends, too: it was the server.
  take_away(world);
  world.run_for(3s);
  world.server.answer = {};
  world.server.refuses = {};
  world.run_for(1min);
  CHECK(world.outcome(first).status == Status::accepted);
  CHECK(world.outcome(first).reason.find("set aside") == std::string::npos);
}

TEST_CASE("patience: a server that leaves messages in doubt in each session is not fed for long") {
  World world({.connections_max = 2, .attempts_max = 5, .connect_attempts_max = 0});
  world.server.answer = [](FakeSession&, const std::string& command) {
    return command == "." ? says("", true) : ordinary;
  };
  for (int i = 0; i < 100; ++i) {
    world.submit("job-" + std::to_string(i));
  }
  world.run();
  CHECK(world.gate.failed());
  CHECK(world.decided_count() == 100);
  CHECK(world.io.sessions().size() <= 8);
}

TEST_CASE("patience: what the user set is kept, whatever the endpoint does not do") {
  enum class Way { refuses, ignores, stalls };
  const Way way = GENERATE(Way::refuses, Way::ignores, Way::stalls);
  World world({.connect_attempts_max = 0, .patience = 2s});
  world.server.refuses = [&](const std::string&) { return way == Way::refuses; };
  world.server.ignores = [&](const std::string&) { return way == Way::ignores; };
  world.server.answer = [&](FakeSession&, const std::string& command) {
    return way == Way::stalls && command == "CONNECT" ? says("") : ordinary;
  };
  const Consignment& job = world.submit("one");
  const Instant begin = world.io.now();
  world.run();
  const Outcome& outcome = world.outcome(job);
  CHECK(outcome.status == Status::unsent);
  CHECK(outcome.reason.find("; tried for ") != std::string::npos);
  CHECK(world.gate.failed());
  // A server that takes the connection may let us wait for its greeting for some seconds more.
  CHECK(world.io.now() - begin >= 2s);
  CHECK(world.io.now() - begin <= (way == Way::stalls ? 12s : 4s));
  CHECK(world.io.sockets_open() == 0);
}

}  // namespace ringpost::engine::test
