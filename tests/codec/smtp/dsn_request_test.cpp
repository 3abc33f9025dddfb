#include "codec/smtp/dsn_request.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

std::string notify(Bytes text) {
  DsnRequest dsn;
  dsn.notify = "before";
  const bool assigned = assign_notify(text, dsn);
  CHECK((assigned || dsn.notify == "before"));
  return assigned ? dsn.notify : "refused";
}

}  // namespace

TEST_CASE("dsn_request: notify is NEVER, or some of three words once each") {
  CHECK(notify("NEVER") == "NEVER");
  CHECK(notify("never") == "NEVER");
  CHECK(notify("failure") == "FAILURE");
  CHECK(notify("DELAY,Success") == "SUCCESS,DELAY");
  CHECK(notify("SUCCESS,FAILURE,DELAY") == "SUCCESS,FAILURE,DELAY");
  for (const char* text : {"", ",", "NEVER,FAILURE", "FAILURE,", "FAILURE,FAILURE",
                           "FAILURE, DELAY", "ALWAYS", "FAILURE\r\nRCPT", "FAILUR", "FAILURES"}) {
    INFO(text);
    CHECK(notify(text) == "refused");
  }
}

TEST_CASE("dsn_request: any of the three is a request") {
  CHECK_FALSE(is_requested({}));
  CHECK(is_requested({"NEVER", "", ""}));
  CHECK(is_requested({"", "FULL", ""}));
  CHECK(is_requested({"", "", "x"}));
}

TEST_CASE("dsn_request: ret is FULL or HDRS") {
  DsnRequest dsn;
  CHECK(assign_return_kind("full", dsn));
  CHECK(dsn.return_kind == "FULL");
  CHECK(assign_return_kind("HDRS", dsn));
  CHECK_FALSE(assign_return_kind("BODY", dsn));
  CHECK_FALSE(assign_return_kind("", dsn));
  CHECK_FALSE(assign_return_kind("FULL ", dsn));
  CHECK(dsn.return_kind == "HDRS");
}

TEST_CASE("dsn_request: an envelope id is printable and at most 100 characters (S06)") {
  DsnRequest dsn;
  CHECK(assign_envelope_id("a+b=c", dsn));
  CHECK(assign_envelope_id("a b", dsn));
  CHECK(assign_envelope_id(std::string(100, 'x'), dsn));
  for (const std::string& text :
       {std::string(), std::string(101, 'x'), std::string("a\tb"), std::string("a\r\nRCPT"),
        std::string("\xc3\xa4"), std::string("a\0b", 3)}) {
    CHECK_FALSE(assign_envelope_id(text, dsn));
  }
  CHECK(dsn.envelope_id == std::string(100, 'x'));
}
