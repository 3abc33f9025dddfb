#include "engine/client_name.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using engine::address_literal_towards;
using engine::is_public_name;

namespace {

io::SocketAddress address(std::string_view literal) {
  return io::address_of_literal(literal, 25).value();
}

}  // namespace

TEST_CASE("client name: a host's name that means nothing far away is none") {
  CHECK(is_public_name("mail.example.com"));
  CHECK(is_public_name("ip-10-0-0-1.eu-west-1.compute.internal"));
  for (const std::string_view name :
       {"", "4f1c2a9be0d7", "localhost", "localhost.localdomain", "macbook.local", ".example.com",
        "a..b", "example.com.", "10.1.2.3", "a_b.example.com", "a b.example.com"}) {
    INFO(name);
    CHECK_FALSE(is_public_name(name));
  }
}

TEST_CASE("client name: the literal is the address that the peer sees, or that of the loopback") {
  for (const std::string_view near : {"127.0.0.1", "127.9.8.7", "::1"}) {
    INFO(near);
    CHECK(address_literal_towards(address(near)) == "[127.0.0.1]");
  }
  // Far away, where nothing is sent to. A machine without a network has no address for it.
  const std::string literal = address_literal_towards(address("192.0.2.1"));
  INFO(literal);
  REQUIRE(literal.starts_with('['));
  REQUIRE(literal.ends_with(']'));
  CHECK(io::address_of_literal(literal.substr(1, literal.size() - 2), 25));
  const std::string literal_6 = address_literal_towards(address("2001:db8::1"));
  INFO(literal_6);
  CHECK((literal_6 == "[127.0.0.1]" || literal_6.starts_with("[IPv6:")));
}
