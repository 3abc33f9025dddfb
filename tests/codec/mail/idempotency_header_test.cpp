#include "codec/mail/idempotency_header.h"

#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/job/job_reader.h"
#include "tests/support/jobs.h"

namespace ringpost::codec {

namespace {

constexpr Bytes name = "X-Key";

// The first recipients have these outcomes; all others, and those with nothing, are offered.
Job job_with(std::vector<std::optional<Status>> outcomes, const std::string& key = "k-1") {
  Job job;
  job.idempotency_key = key;
  job.content = "Subject: x\r\n\r\nHello\r\n";
  int number = 0;
  for (const auto& outcome : outcomes) {
    Recipient& recipient = job.add_recipient();
    recipient.address = "r" + std::to_string(number++) + "@b.example";
    recipient.decided = outcome.has_value();
    recipient.outcome.status = outcome.value_or(Status::unsent);
  }
  return job;
}

std::string header_of_content(const std::string& content) {
  Job job = job_with({std::nullopt});
  job.content = content;
  return idempotency_header(job, name);
}

}  // namespace

TEST_CASE("idempotency header: the key goes into the named field") {
  CHECK(idempotency_header(job_with({std::nullopt}), name) == "X-Key: k-1\r\n");
  CHECK(idempotency_header(job_with({std::nullopt, std::nullopt}), name) == "X-Key: k-1\r\n");
}

TEST_CASE("idempotency header: without a name, a key or a message there is none") {
  CHECK(idempotency_header(job_with({std::nullopt}), "").empty());
  CHECK(idempotency_header(job_with({std::nullopt}, ""), name).empty());
  CHECK(header_of_content("").empty());
}

TEST_CASE("idempotency header: a message that has the field already keeps its own") {
  CHECK(header_of_content("A: b\r\nx-key: mine\r\n\r\nbody").empty());
  CHECK(header_of_content("X-KEY : mine\r\n\r\nbody").empty());
  // In the body it is text.
  CHECK_FALSE(header_of_content("A: b\r\n\r\nX-Key: mine\r\n").empty());
  CHECK_FALSE(header_of_content("X-Key-Other: mine\r\n\r\nbody").empty());
  CHECK_FALSE(header_of_content("\r\nX-Key: in the body\r\n").empty());
}

TEST_CASE("idempotency header: no message can go on with the line") {
  CHECK(header_of_content(" folded\r\n\r\nbody").empty());
  CHECK(header_of_content("\tfolded\r\n").empty());
}

TEST_CASE("idempotency header: what some have already is not what the others get") {
  using enum Status;
  const std::string all = idempotency_header(job_with({std::nullopt, std::nullopt}), name);
  const std::string after_accepted = idempotency_header(job_with({accepted, std::nullopt}), name);
  const std::string after_unknown = idempotency_header(job_with({unknown, std::nullopt}), name);
  CHECK(after_accepted.starts_with("X-Key: k-1/"));
  CHECK(after_accepted.size() == all.size() + 17);
  CHECK(after_accepted == after_unknown);
  CHECK(idempotency_header(job_with({std::nullopt, accepted}), name) != after_accepted);
  // Whoever never had it changes nothing: this may be the same transaction once more.
  for (const Status status : {rejected, deferred, unsent, invalid, expired}) {
    CHECK(idempotency_header(job_with({status, std::nullopt}), name) == all);
  }
}

TEST_CASE("idempotency header: a key that cannot stand there is hashed, and stays one of its own") {
  const std::string longest(idempotency_value_bytes_max, 'x');
  CHECK(idempotency_header(job_with({std::nullopt}, longest), name) ==
        "X-Key: " + longest + "\r\n");
  for (const std::string& key : {longest + "x", std::string("with blank"), std::string("\xc3\xa4"),
                                 std::string("a\r\nBcc: b@c.example"), std::string("\x7f")}) {
    const std::string header = idempotency_header(job_with({std::nullopt}, key), name);
    CHECK(header.size() == std::string("X-Key: \r\n").size() + 32);
    CHECK(header.find_first_not_of("0123456789abcdef", 7) == header.size() - 2);
    CHECK(header != idempotency_header(job_with({std::nullopt}, key + "x"), name));
  }
  // With what is added for the others it would be too long.
  const std::string hashed =
      idempotency_header(job_with({Status::accepted, std::nullopt}, longest), name);
  CHECK(hashed.size() == std::string("X-Key: \r\n").size() + 32 + 17);
}

TEST_CASE("idempotency header: composed messages have a key of their own, finished ones as given") {
  const auto key_of = [](std::string line) {
    const std::size_t bytes = line.size();
    line.append(JobReader::padding_bytes, ' ');
    JobReader reader({});
    Job job;
    REQUIRE(reader.parse(Bytes(line).substr(0, bytes), {"jobs", 1, 1}, job));
    return job.idempotency_key;
  };
  const std::string head = R"({"id":"i","from":"a@b.example","to":"c@d.example")";
  const std::string composed = key_of(head + R"(,"text":"one"})");
  CHECK(composed.starts_with("i/"));
  CHECK(composed == key_of(head + R"(,"text":"one"})"));
  // The same id in another campaign is another message.
  CHECK(composed != key_of(head + R"(,"text":"two"})"));
  CHECK(key_of(head + R"(,"text":"one","idempotency_key":"given"})") == "given");
  const std::string raw = R"(,"raw":"A: b\r\n\r\nbody\r\n")";
  CHECK(key_of(head + raw + "}").empty());
  CHECK(key_of(head + raw + R"(,"idempotency_key":"given"})") == "given");
}

}  // namespace ringpost::codec
