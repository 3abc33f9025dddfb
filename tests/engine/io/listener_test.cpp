#include "engine/io/listener.h"

#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using io::Listener;
using io::SocketAddress;

namespace {

SocketAddress loopback(std::uint16_t port) {
  return io::address_of_literal("127.0.0.1", port).value();
}

bool can_connect(const SocketAddress& address) {
  const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address.storage),
                                   address.length) == 0;
  ::close(descriptor);
  return connected;
}

}  // namespace

TEST_CASE("listener: port 0 becomes a real one, which takes connections until it goes") {
  SocketAddress address;
  {
    const auto listener = Listener::open(loopback(0), false);
    REQUIRE(listener);
    address = listener->address();
    CHECK(address.port() != 0);
    CHECK(address.text() == "127.0.0.1:" + std::to_string(address.port()));
    CHECK(can_connect(address));
  }
  CHECK_FALSE(can_connect(address));
}

TEST_CASE("listener: it listens on IPv6") {
  const auto address = io::address_of_literal("::1", 0);
  const auto listener = Listener::open(*address, false);
  if (!listener) {
    SKIP("no IPv6 on this machine: " << listener.error().message());
  }
  CHECK(can_connect(listener->address()));
}

TEST_CASE("listener: a port in use is an error that names it") {
  const auto first = Listener::open(loopback(0), false);
  REQUIRE(first);
  const auto second = Listener::open(first->address(), false);
  REQUIRE_FALSE(second);
  CHECK(second.error().error_number == EADDRINUSE);
  CHECK(second.error().message().find(first->address().text()) != std::string::npos);
}

TEST_CASE("listener: a shared port takes several") {
  const auto first = Listener::open(loopback(0), true);
  REQUIRE(first);
  CHECK(Listener::open(first->address(), true));
  CHECK_FALSE(Listener::open(first->address(), false));
}

TEST_CASE("listener: moving hands over the descriptor") {
  auto listener = Listener::open(loopback(0), false);
  REQUIRE(listener);
  const int descriptor = listener->descriptor();
  const SocketAddress address = listener->address();
  Listener moved = std::move(*listener);
  CHECK(moved.descriptor() == descriptor);
  auto other = Listener::open(loopback(0), false);
  REQUIRE(other);
  *other = std::move(moved);
  CHECK(other->descriptor() == descriptor);
  CHECK(can_connect(address));
}
