// What a header says to ringpost is taken and cut out, and nothing else is touched.
#include "tools/serve/submitted_header.h"

#include <catch2/catch_test_macros.hpp>

namespace ringpost::serve::test {

namespace {

HeaderFacts header_taken(std::string& content) {
  auto facts = take_header(content);
  INFO((facts ? "" : facts.error()));
  REQUIRE(facts);
  return std::move(*facts);
}

std::string header_offence(std::string content) {
  const auto facts = take_header(content);
  REQUIRE_FALSE(facts);
  return facts.error();
}

}  // namespace

TEST_CASE("submitted header: one that says nothing stays octet for octet") {
  const std::string original =
      "Received: from a\r\n by b\r\nreceived : x\r\nSubject: caf\xc3\xa9\r\n"
      "X-Other: X-Ringpost-Tag: none\r\n\r\nX-Ringpost-Tag: of the body\r\n";
  std::string content = original;
  const HeaderFacts facts = header_taken(content);
  CHECK(content == original);
  CHECK(facts.received_count == 2);
  CHECK(facts.has_8bit);
  CHECK(facts.id.empty());
  CHECK(facts.tags_json.empty());
  CHECK(facts.metadata_json.empty());
}

TEST_CASE("submitted header: what is for ringpost is taken, folded or not, and cut out") {
  std::string content =
      "X-RINGPOST-ID: one\r\nFrom: a@b.example\r\nX-Ringpost-Endpoint:\r\n  ses \r\n"
      "X-Ringpost-Tag: news, weekly ,\r\n\t\"47\"\r\nX-Ringpost-Tags: more\r\n"
      "X-Ringpost-Meta-Plan: pro\r\nX-Ringpost-Meta-plan: twice\r\n"
      "X-Listmonk-Campaign: c-1\r\nX-Listmonk-Subscriber: s-2\r\n"
      "Message-ID: <m1@b.example>\r\nX-Ringpost-Meta-empty:\r\n\r\nbody\r\n";
  const HeaderFacts facts = header_taken(content);
  CHECK(content ==
        "From: a@b.example\r\nX-Listmonk-Campaign: c-1\r\nX-Listmonk-Subscriber: s-2\r\n"
        "Message-ID: <m1@b.example>\r\n\r\nbody\r\n");
  CHECK(facts.id == "one");
  CHECK(facts.message_id == "m1@b.example");
  CHECK(facts.endpoint == "ses");
  CHECK(facts.tags_json == R"(["news","weekly","\"47\"","more"])");
  CHECK(facts.metadata_json ==
        R"({"plan":"pro","listmonk_campaign":"c-1","listmonk_subscriber":"s-2","empty":""})");
  CHECK_FALSE(facts.has_8bit);
}

TEST_CASE("submitted header: it ends where it is none any more") {
  std::string content = "Subject: x\r\nno field\r\nX-Ringpost-Id: of the body\r\n";
  CHECK(header_taken(content).id.empty());
  content = "";
  CHECK(header_taken(content).received_count == 0);
  content = "X-Ringpost-Id: no line end";
  CHECK(header_taken(content).id == "no line end");
  CHECK(content.empty());
  content = ": no name\r\n\r\n";
  CHECK(header_taken(content).received_count == 0);
}

TEST_CASE("submitted header: what cannot be taken is told") {
  CHECK(header_offence("X-Ringpost-Id: \r\n\r\n").find("empty") != std::string::npos);
  CHECK(header_offence("X-Ringpost-Id: " + std::string(600, 'x') + "\r\n\r\n")
            .find("longer than 512") != std::string::npos);
  CHECK(header_offence("X-Ringpost-Endpiont: x\r\n\r\n").find("x-ringpost-endpiont") !=
        std::string::npos);
  CHECK(header_offence("X-Ringpost-Tag: " + std::string(20'000, 'x') + "\r\n\r\n").find("tags") !=
        std::string::npos);
  CHECK(header_offence("X-Ringpost-Meta-" + std::string(65, 'n') + ": x\r\n\r\n").find("name") !=
        std::string::npos);
  CHECK(header_offence(" folded\r\nX-Ringpost-Id: 1\r\n\r\n") ==
        "the header begins with white space");
  std::string many;
  for (int i = 0; i < 300; ++i) {
    many += "X-Ringpost-Meta-" + std::to_string(i) + ": x\r\n";
  }
  CHECK(header_offence(many + "\r\n").find("256") != std::string::npos);
}

}  // namespace ringpost::serve::test
