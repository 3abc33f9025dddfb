#include "tools/probe/ehlo_reply.h"

#include <catch2/catch_test_macros.hpp>

#include <ringpost/limits.h>

using namespace ringpost;
using namespace ringpost::cli;

TEST_CASE("ehlo reply: keywords stand as they came, the first line is the server's name") {
  const EhloReply reply =
      read_ehlo_reply("mx.example.com hello\nSIZE 1000\npipelining\nX-ODD  1 2");
  CHECK(reply.domain == "mx.example.com hello");
  CHECK(reply.keywords == std::vector<std::string>{"SIZE 1000", "pipelining", "X-ODD  1 2"});
  CHECK(reply.capabilities.message_bytes_max == 1000);
  CHECK(reply.capabilities.pipelining);
  CHECK_FALSE(reply.capabilities.announced_limits.recipients);
}

TEST_CASE("ehlo reply: nothing at all, and too much") {
  CHECK(read_ehlo_reply("").keywords.empty());
  CHECK(read_ehlo_reply("mx").domain == "mx");
  std::string many = "mx";
  for (int line = 0; line < 1000; ++line) {
    many += "\nX";
  }
  CHECK(read_ehlo_reply(many).keywords.size() == limits::ehlo_keywords_max);
  CHECK(read_ehlo_reply("mx\n\n").keywords == std::vector<std::string>{"", ""});
}

TEST_CASE("ehlo reply: the mode follows from PIPELINING and CHUNKING") {
  const auto mode = [](Bytes text) {
    return name_of(submission_mode(read_ehlo_reply(text).capabilities));
  };
  CHECK(mode("mx\nPIPELINING\nCHUNKING") == "flights");
  CHECK(mode("mx\nPIPELINING") == "groups");
  CHECK(mode("mx\nCHUNKING") == "lock-step");
  CHECK(mode("mx") == "lock-step");
}
