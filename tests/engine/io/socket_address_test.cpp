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

TEST_CASE("socket address: one that holds none has no text") {
  CHECK(SocketAddress{}.text().empty());
  CHECK(SocketAddress{}.port() == 0);
}
