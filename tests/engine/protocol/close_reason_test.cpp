#include "engine/protocol/close_reason.h"

#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using protocol::CloseKind;
using protocol::CloseReason;

TEST_CASE("close reason: each kind has a name and a sentence of its own") {
  std::set<std::string> names;
  std::set<std::string> sentences;
  for (std::size_t i = 0; i < protocol::close_kind_count; ++i) {
    CloseReason reason;
    reason.kind = static_cast<CloseKind>(i);
    const std::string_view name = protocol::name_of(reason.kind);
    CHECK(!name.empty());
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    CHECK(names.insert(std::string(name)).second);
    CHECK(!reason.message().empty());
    CHECK(sentences.insert(reason.message()).second);
  }
  CHECK(protocol::name_of(CloseKind::quit) == "quit");
  CHECK(protocol::name_of(CloseKind::auth_refused) == "auth_refused");
}

TEST_CASE("close reason: the message has what went wrong, our detail and the server's words") {
  CloseReason reason;
  reason.kind = CloseKind::timeout;
  CHECK(reason.message() == "timed out");
  reason.detail = "no greeting in time";
  CHECK(reason.message() == "timed out: no greeting in time");
  reason.kind = CloseKind::auth_refused;
  reason.detail.clear();
  reason.code = 535;
  reason.enhanced = {5, 7, 8};
  reason.text = "bad credentials";
  CHECK(reason.message() ==
        "the server refused the user name or the password: 535 5.7.8 bad credentials");
}

TEST_CASE("close reason: a bare code leaves no blank behind it") {
  CloseReason reason;
  reason.kind = CloseKind::peer_closing;
  reason.code = 421;
  CHECK(reason.message() == "the server is closing the connection: 421");
}
