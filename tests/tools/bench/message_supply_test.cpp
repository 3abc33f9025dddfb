#include "tools/bench/message_supply.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::cli {
namespace {

Message message_of(const LoadSettings& load, std::uint64_t number) {
  auto supply = MessageSupply::open(load, 0);
  REQUIRE(supply.has_value());
  Message message;
  (*supply)->fill(message, number);
  return message;
}

TEST_CASE("message supply: generated messages have the size that was asked for, in turns") {
  LoadSettings load;
  load.sizes = {512, 2000, 75'000};
  load.from = "bench@example.com";
  for (std::uint64_t number = 0; number < 30; ++number) {
    const Message message = message_of(load, number);
    const std::uint64_t wanted = load.sizes[number % 3];
    CAPTURE(number);
    CHECK(message.content.bytes() >= wanted - 2);
    CHECK(message.content.bytes() <= wanted + 2);
    CHECK(message.content.traits().ends_with_crlf());
    CHECK_FALSE(message.content.traits().has_8bit);
    CHECK(message.content.traits().longest_line_bytes <= 998);
    CHECK(message.content.text().find("X-Id: bench-" + std::to_string(number) + "\r\n") !=
          std::string::npos);
  }
}

TEST_CASE("message supply: each message has recipients of its own, or those given in turns") {
  LoadSettings load;
  load.sizes = {600};
  load.from = "bench@example.com";
  load.recipients = 3;
  const Message message = message_of(load, 5);
  REQUIRE(message.recipients.size() == 3);
  CHECK(message.recipients[0] == "reader15@example.net");
  CHECK(message.recipients[2] == "reader17@example.net");
  load.to = {"a@example.org", "b@example.org"};
  const Message other = message_of(load, 1);
  CHECK(other.recipients[0] == "b@example.org");
  CHECK(other.recipients[1] == "a@example.org");
}

TEST_CASE("message supply: a job file that is not there is an error with its name") {
  LoadSettings load;
  load.jobs_path = "/nonexistent/jobs.jsonl";
  const auto supply = MessageSupply::open(load, 0);
  REQUIRE_FALSE(supply.has_value());
  CHECK(supply.error().find("/nonexistent/jobs.jsonl") != std::string::npos);
}

}  // namespace
}  // namespace ringpost::cli
