// What a session refuses by itself, because the server, or its provider, takes no such message.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "tests/engine/protocol/support.h"
#include "tests/support/mail.h"

using namespace ringpost;
using protocol::test::Rig;
using test::Mail;

namespace {

Mail message_of_one(const std::string& id, std::string content) {
  return test::make_mail({.id = id, .recipients = {"r@b.example"}, .content = std::move(content)});
}

}  // namespace

TEST_CASE("session: the smaller of SIZE and the endpoint's own bound of octets counts") {
  struct Case {
    const char* ehlo;
    std::uint64_t own;
    std::string reason;
  };
  const std::string of_server = "the message has 13 octets and the server takes at most 10";
  const std::string own = "the message has 13 octets and bytes_per_message allows at most 12";
  for (const Case& each : {Case{"250 HELP\r\n", 12, own},
                           {"250 SIZE 10\r\n", 12, of_server},
                           {"250 SIZE 20\r\n", 12, own},
                           {"250 SIZE 0\r\n", 12, own},
                           {"250 SIZE 20\r\n", 13, ""}}) {
    Rig rig;
    rig.options.message_bytes_max = each.own;
    rig.greet(each.ehlo);
    Mail one = message_of_one("one", "12345678901\r\n");
    rig.session.submit(one.delivery, rig.now);
    CHECK(rig.listener.reasons == (each.reason.empty() ? std::vector<std::string>()
                                                       : std::vector<std::string>{each.reason}));
  }
}

TEST_CASE("session: a local refusal names what the server cannot take") {
  Rig rig;
  rig.greet("250 SIZE 10\r\n");
  Mail one = message_of_one("one", "12345678901\r\n");
  Mail two = message_of_one("two", "\xc3\xa9\r\n");
  Mail three = message_of_one("three", "x\r\n");
  three.message.needs_smtputf8 = true;
  rig.session.submit(one.delivery, rig.now);
  rig.session.submit(two.delivery, rig.now);
  rig.session.submit(three.delivery, rig.now);
  CHECK(rig.session.idle());
  REQUIRE(rig.listener.reasons.size() == 3);
  CHECK(rig.listener.reasons[0] == "the message has 13 octets and the server takes at most 10");
  CHECK(rig.listener.reasons[1].find("8BITMIME") != std::string::npos);
  CHECK(rig.listener.reasons[2].find("SMTPUTF8") != std::string::npos);
  const std::vector<std::string> heard = {
      "ready",    "one r@b.example invalid",   "one done",  "two r@b.example invalid",
      "two done", "three r@b.example invalid", "three done"};
  CHECK(rig.listener.heard == heard);
}
