// A dial and what the kernel tells it, in any order that it may.
#include "engine/dial.h"

#include <cerrno>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/support/fake_io.h"

namespace ringpost::engine::test {

namespace {

constexpr io::Owner dialer = 7;

std::vector<io::SocketAddress> two_addresses() {
  return {io::address_of_literal("192.0.2.1", 587).value(),
          io::address_of_literal("192.0.2.2", 587).value()};
}

}  // namespace

TEST_CASE("dial: a loser whose close is over before its connect is closed once") {
  ringpost::test::FakeServer server;
  server.ignores = [](const std::string&) { return true; };
  ringpost::test::FakeIo io(server);
  Dial dial(io, dialer);
  dial.begin(two_addresses(), std::chrono::seconds(10), never);
  io.pause(std::chrono::seconds(1));
  dial.expire(io.now());
  REQUIRE(io.sockets_open() == 2);
  const io::Handle loser = 0;
  const io::Handle winner = 1;
  dial.complete({dialer, winner, io::Operation::connect, 0, {}, false});
  REQUIRE(dial.state() == Dial::State::connected);
  CHECK(dial.handle() == winner);
  CHECK(io.sockets_open() == 1);

  dial.complete({dialer, loser, io::Operation::close, 0, {}, false});
  CHECK_FALSE(dial.quiet());
  dial.stop();  // the winner's session has ended meanwhile
  CHECK(dial.owns(loser));
  dial.complete({dialer, loser, io::Operation::connect, -ECANCELED, {}, false});
  CHECK(dial.quiet());
  io.close(winner, dialer);
}

TEST_CASE("dial: another address is left where it has neither failed nor won") {
  ringpost::test::FakeServer server;
  server.ignores = [](const std::string&) { return true; };
  ringpost::test::FakeIo io(server);
  Dial dial(io, dialer);
  dial.begin(two_addresses(), std::chrono::seconds(10), never);
  const bool refused = GENERATE(true, false);
  const io::Handle first = 0;
  const io::Handle second = 1;
  if (refused) {
    dial.complete({dialer, first, io::Operation::connect, -ECONNREFUSED, {}, false});
    dial.complete({dialer, first, io::Operation::close, 0, {}, false});
  } else {
    io.pause(std::chrono::seconds(1));
    dial.expire(io.now());
  }
  dial.complete({dialer, second, io::Operation::connect, 0, {}, false});
  REQUIRE(dial.state() == Dial::State::connected);
  CHECK(dial.others_left() != refused);
  dial.stop();
}

}  // namespace ringpost::engine::test
