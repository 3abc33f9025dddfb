// How many sessions of a route work: as many as a rate needs, and no more for long. Goal: places
// that were opened are given back when nobody stands in them. Method: a server that takes a while
// for each message, as long as the test says, under a clock that jumps.
#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "tests/engine/worker_world.h"

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;
using ringpost::test::FakeSession;
using ringpost::test::ordinary;
using ringpost::test::says;
using test::World;

constexpr std::uint64_t rate_per_second = 10;

// A rate, and a server that says so much later what became of a message.
class SlowServer {
 public:
  explicit SlowServer(bool grows)
      : world({.connections_max = 2,
               .connections_grow = grows,
               .sockets_max = 20,
               .rates = {messages_per_second(rate_per_second)}}) {
    world.server.answer = [this](FakeSession& session, const std::string& command) {
      if (command != ".") {
        return ordinary;
      }
      owed_.push_back({session.handle, world.io.now() + takes});
      return says("");
    };
  }

  // So long with always some messages waiting.
  void keep_busy(Duration duration) {
    constexpr Duration step = 20ms;
    for (const Instant end = world.io.now() + duration; world.io.now() < end;) {
      while (world.decided_count() + 2 * rate_per_second > submitted_) {
        world.submit("job-" + std::to_string(submitted_++));
      }
      const Instant next = world.io.now() + step;
      world.run_for(step);
      world.io.pause(next - world.io.now());  // where nothing was due until then
      answer_what_is_due();
    }
  }

  World world;
  Duration takes = 1s;

 private:
  struct Owed {
    io::Handle handle;
    Instant at;
  };

  void answer_what_is_due() {
    std::deque<Owed> later;
    for (const Owed& owed : std::exchange(owed_, {})) {
      if (owed.at <= world.io.now()) {
        world.io.say(owed.handle, {"250 2.0.0 taken\r\n"});
      } else {
        later.push_back(owed);
      }
    }
    owed_.insert(owed_.end(), later.begin(), later.end());
  }

  std::deque<Owed> owed_;
  std::size_t submitted_ = 0;
};

}  // namespace

TEST_CASE("route places: what a rate needed is given back when the server answers sooner") {
  SlowServer slow(true);
  World& world = slow.world;
  slow.keep_busy(10s);
  // Little's law: ten a second that take a second each.
  const std::size_t grown = world.io.sockets_open();
  CHECK(grown >= rate_per_second);
  CHECK(world.io.sessions().size() == grown);

  // For ten seconds nobody has to give anything back, and within twenty everybody has.
  slow.takes = Duration::zero();
  slow.keep_busy(25s);
  CHECK(world.io.sockets_open() == world.endpoint.connections_max);
  const auto quits = static_cast<std::size_t>(
      std::count_if(world.io.sessions().begin(), world.io.sessions().end(),
                    [](const FakeSession& session) { return session.commands.back() == "QUIT"; }));
  CHECK(quits == grown - world.endpoint.connections_max);
  CHECK(world.io.sessions().size() == grown);

  // They are opened again when they are needed again.
  slow.takes = 1s;
  slow.keep_busy(10s);
  CHECK(world.io.sockets_open() >= rate_per_second);
}

TEST_CASE("route places: as long as they are needed they stay, and a number is a number") {
  SlowServer needed(true);
  needed.keep_busy(10s);
  const std::size_t grown = needed.world.io.sockets_open();
  needed.keep_busy(40s);
  CHECK(needed.world.io.sockets_open() >= rate_per_second);
  CHECK(needed.world.io.sockets_open() <= grown);

  SlowServer fixed(false);
  fixed.keep_busy(40s);
  CHECK(fixed.world.io.sockets_open() == 2);
  CHECK(fixed.world.io.sessions().size() == 2);
}

}  // namespace ringpost::engine
