// What is told behind EHLO, and what is obeyed of it.
#include "engine/server/announcement.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost::server;

TEST_CASE("announcement: words that are known are obeyed, all of them are told") {
  const Announcement told =
      announcement_of({"size 1000", "PIPELINING", "XFILTERED", "AUTH=PLAIN LOGIN", "8 BITMIME"});
  REQUIRE(told.keywords.size() == 5);
  REQUIRE(told.extensions.size);
  REQUIRE(told.extensions.pipelining);
  REQUIRE(told.extensions.auth);
  // As Yahoo writes it: no word that anybody knows.
  REQUIRE_FALSE(told.extensions.eight_bit_mime);
  REQUIRE_FALSE(told.extensions.chunking);
  REQUIRE_FALSE(told.extensions.enhanced_status_codes);
}

TEST_CASE("announcement: what a server cannot do is left out") {
  const Announcement told =
      announcement_of({"CHUNKING", "AUTH PLAIN", "VRFY"}, {.chunking = false, .auth = false});
  REQUIRE(told.keywords == std::vector<std::string>{"VRFY"});
  REQUIRE_FALSE(told.extensions.chunking);
}
