#include "codec/mail/idempotency_header.h"

#include <optional>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/job/job_reader.h"
#include "tests/support/mail.h"

namespace ringpost::codec {

namespace {

using test::Mail;

constexpr Bytes name = "X-Key";

// The first recipients have these outcomes; all others, and those with nothing, are offered.
Mail job_with(std::vector<std::optional<Status>> outcomes, const std::string& key = "k-1") {
  test::MailText text;
  text.content = "Subject: x\r\n\r\nHello\r\n";
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    text.recipients.push_back("r" + std::to_string(i) + "@b.example");
  }
  Mail mail = test::make_mail(text);
  mail.message.idempotency_key = key;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    mail.delivery.recipients[i].decided = outcomes[i].has_value();
    mail.delivery.recipients[i].outcome.status = outcomes[i].value_or(Status::unsent);
  }
  return mail;
}

std::string header_of(const Mail& mail, Bytes field = name) {
  return idempotency_header(mail.delivery, field);
}

std::string header_of_content(const std::string& content, std::size_t pieces = 1) {
  const Mail mail = job_with({std::nullopt});
  test::set_content(mail.message.content, content, pieces);
  return header_of(mail);
}

}  // namespace

TEST_CASE("idempotency header: the key goes into the named field") {
  CHECK(header_of(job_with({std::nullopt})) == "X-Key: k-1\r\n");
  CHECK(header_of(job_with({std::nullopt, std::nullopt})) == "X-Key: k-1\r\n");
}

TEST_CASE("idempotency header: without a name, a key or a message there is none") {
  CHECK(header_of(job_with({std::nullopt}), "").empty());
  CHECK(header_of(job_with({std::nullopt}, "")).empty());
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
  const std::string all = header_of(job_with({std::nullopt, std::nullopt}));
  const std::string after_accepted = header_of(job_with({accepted, std::nullopt}));
  const std::string after_unknown = header_of(job_with({unknown, std::nullopt}));
  CHECK(after_accepted.starts_with("X-Key: k-1/"));
  CHECK(after_accepted.size() == all.size() + 17);
  CHECK(after_accepted == after_unknown);
  CHECK(header_of(job_with({std::nullopt, accepted})) != after_accepted);
  // Whoever never had it changes nothing: this may be the same transaction once more.
  for (const Status status : {rejected, deferred, unsent, invalid, expired}) {
    CHECK(header_of(job_with({status, std::nullopt})) == all);
  }
}

TEST_CASE("idempotency header: a header in pieces is read as one in one") {
  for (std::size_t pieces = 1; pieces <= 40; ++pieces) {
    CHECK(header_of_content("A: b\r\nx-key: mine\r\n\r\nbody", pieces).empty());
    CHECK_FALSE(header_of_content("A: b\r\n\r\nX-Key: mine\r\n", pieces).empty());
  }
}

TEST_CASE("idempotency header: deliveries of one message are told apart, whoever is done first") {
  test::MailText text;
  text.content = "A: b\r\n\r\nbody\r\n";
  text.recipients = {"a@b.example", "a@b.example", "c@b.example", "d@b.example"};
  const Mail mail = test::make_mail(text);
  mail.message.idempotency_key = "k-1";
  const auto header = [&](std::uint32_t begin, std::uint32_t end, std::optional<Status> first) {
    Delivery& delivery = mail.delivery;
    delivery.begin = begin;
    delivery.end = end;
    delivery.open();
    delivery.recipients[0].decided = first.has_value();
    delivery.recipients[0].outcome.status = first.value_or(Status::unsent);
    return header_of(mail);
  };
  const std::string of_first = header(0, 2, std::nullopt);
  const std::string of_second = header(2, 4, std::nullopt);
  CHECK(of_first == "X-Key: k-1\r\n");
  CHECK(of_second.starts_with("X-Key: k-1/"));
  CHECK(header(0, 2, Status::accepted) != of_first);
  CHECK(header(0, 2, Status::accepted) != of_second);
  CHECK(header(2, 4, Status::accepted) != of_second);
  // As one job in turn had it, behind a first half that was taken.
  const Mail whole = job_with({Status::accepted, Status::accepted, std::nullopt});
  const Mail divided = job_with({std::nullopt, std::nullopt, std::nullopt});
  divided.delivery.begin = 2;
  divided.delivery.open();
  CHECK(header_of(divided) == header_of(whole));
}

TEST_CASE("idempotency header: a key that cannot stand there is hashed, and stays one of its own") {
  const std::string longest(idempotency_value_bytes_max, 'x');
  CHECK(header_of(job_with({std::nullopt}, longest)) == "X-Key: " + longest + "\r\n");
  for (const std::string& key : {longest + "x", std::string("with blank"), std::string("\xc3\xa4"),
                                 std::string("a\r\nBcc: b@c.example"), std::string("\x7f")}) {
    const std::string header = header_of(job_with({std::nullopt}, key));
    CHECK(header.size() == std::string("X-Key: \r\n").size() + 32);
    CHECK(header.find_first_not_of("0123456789abcdef", 7) == header.size() - 2);
    CHECK(header != header_of(job_with({std::nullopt}, key + "x")));
  }
  // With what is added for the others it would be too long.
  const std::string hashed = header_of(job_with({Status::accepted, std::nullopt}, longest));
  CHECK(hashed.size() == std::string("X-Key: \r\n").size() + 32 + 17);
}

TEST_CASE("idempotency header: composed messages have a key of their own, finished ones as given") {
  const auto key_of = [](std::string line) {
    const std::size_t bytes = line.size();
    line.append(JobReader::padding_bytes, ' ');
    JobReader reader({});
    Message job;
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
