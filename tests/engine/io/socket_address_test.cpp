#include "engine/io/socket_address.h"

#include <netinet/in.h>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using io::address_of_literal;
using io::SocketAddress;

TEST_CASE("socket address: IPv4 literals") {
  const auto address = address_of_literal("192.0.2.1", 587);
  REQUIRE(address);
  CHECK(address->family() == AF_INET);
  CHECK(address->port() == 587);
  CHECK(address->length == sizeof(sockaddr_in));
  CHECK(address->text() == "192.0.2.1:587");
}

TEST_CASE("socket address: IPv6 literals, with and without brackets") {
  for (const char* const literal : {"2001:db8::1", "[2001:db8::1]", "2001:DB8:0:0::1"}) {
    const auto address = address_of_literal(literal, 65'535);
    REQUIRE(address);
    CHECK(address->family() == AF_INET6);
    CHECK(address->port() == 65'535);
    CHECK(address->length == sizeof(sockaddr_in6));
    CHECK(address->text() == "[2001:db8::1]:65535");
  }
  CHECK(address_of_literal("::1", 0)->text() == "[::1]:0");
}

TEST_CASE("socket address: names and scraps are no literals, and the error quotes them") {
  for (const std::string& text :
       {std::string(), std::string("localhost"), std::string("1.2.3"), std::string("1.2.3.4.5"),
        std::string("1.2.3.256"), std::string("[::1"), std::string("::1]"), std::string("[]"),
        std::string("1.2.3.4:25"), std::string(" 1.2.3.4"), std::string("fe80::1%lo"),
        std::string("0x7f.0.0.1"), std::string("127.0.0.1\0.example", 18)}) {
    INFO(text);
    const auto address = address_of_literal(text, 25);
    REQUIRE_FALSE(address);
    CHECK(address.error().find("not an IP address") != std::string::npos);
  }
}

TEST_CASE("socket address: what only this machine reaches") {
  for (const char* const literal : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
    INFO(literal);
    CHECK(address_of_literal(literal, 25)->is_loopback());
  }
  for (const char* const literal : {"0.0.0.0", "::", "126.255.255.255", "128.0.0.1", "192.0.2.127",
                                    "::2", "::ffff:10.0.0.127", "2001:db8::1", "::127.0.0.1"}) {
    INFO(literal);
    CHECK_FALSE(address_of_literal(literal, 25)->is_loopback());
  }
}

TEST_CASE("socket address: where a server listens is an address and a port") {
  CHECK(io::listening_address("127.0.0.1:25", "x")->text() == "127.0.0.1:25");
  CHECK(io::listening_address("[::1]:0", "x")->text() == "[::1]:0");
  for (const char* const text : {"", "25", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1",
                                 "127.0.0.1:65536", "127.0.0.1:25 "}) {
    INFO(text);
    const auto address = io::listening_address(text, "127.0.0.1:2525");
    REQUIRE_FALSE(address);
    CHECK(address.error().find("like 127.0.0.1:2525") != std::string::npos);
  }
  CHECK_FALSE(io::listening_address("localhost:25", "x"));
}

TEST_CASE("socket address: one that holds none has no text") {
  CHECK(SocketAddress{}.text().empty());
  CHECK(SocketAddress{}.port() == 0);
  CHECK_FALSE(SocketAddress{}.is_loopback());
}
