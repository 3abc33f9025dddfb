#include "tools/sink/login.h"

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::sink;

TEST_CASE("base64: canonical text only") {
  REQUIRE(decode_base64("").value().empty());
  REQUIRE(decode_base64("Zg==").value() == "f");
  REQUIRE(decode_base64("Zm8=").value() == "fo");
  REQUIRE(decode_base64("Zm9v").value() == "foo");
  REQUIRE(decode_base64("AHJpbmdwb3N0AHJpbmdwb3N0").value() == Bytes("\0ringpost\0ringpost", 18));
  for (const Bytes text : {"Z", "Zg", "Zg=", "Zh==", "Zm9", "Zm9v=", "Zm 9v", "====", "Zg==Zg=="}) {
    INFO(text);
    REQUIRE_FALSE(decode_base64(text));
  }
}

TEST_CASE("login: PLAIN with its answer in the same line, or behind a challenge") {
  const SessionOptions options;
  Login login(options);
  REQUIRE(login.begin("PLAIN AHJpbmdwb3N0AHJpbmdwb3N0") == LoginStep::granted);
  REQUIRE(login.one_round_trip());
  REQUIRE(login.user() == "ringpost");
  REQUIRE(login.begin("plain") == LoginStep::challenge);
  REQUIRE(login.challenge().empty());
  REQUIRE(login.answer("AHJpbmdwb3N0AHJpbmdwb3N0") == LoginStep::granted);
  REQUIRE_FALSE(login.one_round_trip());
  // "ringpost\0ringpost\0ringpost": authorized as oneself.
  REQUIRE(login.begin("PLAIN cmluZ3Bvc3QAcmluZ3Bvc3QAcmluZ3Bvc3Q=") == LoginStep::granted);
  // "x\0ringpost\0ringpost": as somebody else.
  REQUIRE(login.begin("PLAIN eAByaW5ncG9zdAByaW5ncG9zdA==") == LoginStep::wrong);
}

TEST_CASE("login: LOGIN asks for user and password") {
  const SessionOptions options;
  Login login(options);
  REQUIRE(login.begin("LOGIN") == LoginStep::challenge);
  REQUIRE(decode_base64(login.challenge()).value() == "Username:");
  REQUIRE(login.answer("cmluZ3Bvc3Q=") == LoginStep::challenge);
  REQUIRE(decode_base64(login.challenge()).value() == "Password:");
  REQUIRE(login.answer("cmluZ3Bvc3Q=") == LoginStep::granted);
  REQUIRE(login.begin("LOGIN cmluZ3Bvc3Q=") == LoginStep::challenge);
  REQUIRE(login.answer("d3Jvbmc=") == LoginStep::wrong);
}

TEST_CASE("login: what is no mechanism, no base64 or no answer") {
  const SessionOptions options;
  Login login(options);
  REQUIRE(login.begin("CRAM-MD5") == LoginStep::no_mechanism);
  REQUIRE(login.begin("") == LoginStep::no_mechanism);
  REQUIRE(login.begin("PLAIN !!!!") == LoginStep::bad_encoding);
  REQUIRE(login.begin("PLAIN =") == LoginStep::bad_encoding);
  REQUIRE(login.begin("PLAIN AHJpbmdwb3N0") == LoginStep::bad_encoding);
  REQUIRE(login.begin("PLAIN") == LoginStep::challenge);
  REQUIRE(login.answer("*") == LoginStep::cancelled);
}
