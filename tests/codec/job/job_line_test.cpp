// What becomes a line comes out of it as it went in, whatever it is made of.
#include "codec/job/job_line.h"

#include <catch2/catch_test_macros.hpp>

#include "codec/job/job_reader.h"

namespace ringpost::codec {

namespace {

Message message_with(Bytes content) {
  Message message;
  message.id = "an id with \"quotes\" and \xc3\xa9";
  message.sender = "bounce+1@example.com";
  message.recipients.add("a@example.net");
  message.recipients.add("b@example.net");
  REQUIRE(ContentMaker(NewlinePolicy::strict).assign(message.content, content));
  return message;
}

Message read_back(const std::string& line) {
  std::string padded = line;
  padded.append(JobReader::padding_bytes, '\0');
  Message message;
  JobReader reader({});
  const auto read =
      reader.parse(Bytes(padded).substr(0, line.size() - 1), {"line", 2, 0, 0}, message);
  INFO((read ? line : read.error().message()));
  REQUIRE(read);
  return message;
}

Message through_line(const Message& message) {
  std::string line;
  append_job_line(line, message);
  REQUIRE(line.find('\n') == line.size() - 1);
  return read_back(line);
}

}  // namespace

TEST_CASE("job line: envelope, facts and content come back") {
  Message message = message_with("Subject: x\r\n\r\n.dot\r\n\x7f tab\t \xe2\x82\xac\r\n");
  message.tags_json = R"(["weekly","a,b"])";
  message.metadata_json = R"({"campaign":7,"name":"x"})";
  message.endpoint = "esp";
  message.idempotency_key = "key-1";
  message.expires_at_us = 1'900'000'000'000'001;
  message.dsn = {.notify = "SUCCESS,FAILURE", .return_kind = "HDRS", .envelope_id = "env id"};
  const Message back = through_line(message);
  CHECK(back.id == message.id);
  CHECK(back.sender == message.sender);
  REQUIRE(back.recipients.size() == 2);
  CHECK(back.recipients[1] == "b@example.net");
  CHECK(back.content.text() == message.content.text());
  CHECK(back.tags_json == message.tags_json);
  CHECK(back.metadata_json == message.metadata_json);
  CHECK(back.endpoint == "esp");
  CHECK(back.idempotency_key == "key-1");
  CHECK(back.expires_at_us == 1'900'000'001'000'000);  // never before it was asked for
  CHECK(back.dsn.notify == "SUCCESS,FAILURE");
  CHECK(back.dsn.return_kind == "HDRS");
  CHECK(back.dsn.envelope_id == "env id");
  CHECK_FALSE(back.needs_smtputf8);
}

TEST_CASE("job line: octets that are no UTF-8, the null sender and no fact at all") {
  Message message = message_with("Subject: caf\xe9\r\n\r\n\xff\xfe\r\n");
  message.sender.clear();
  const Message back = through_line(message);
  CHECK(back.sender.empty());
  CHECK(back.content.text() == message.content.text());
  CHECK(back.tags_json.empty());
  CHECK(back.endpoint.empty());
  CHECK(back.expires_at_us == 0);
}

TEST_CASE("job line: an id that no reader takes is made one that it does") {
  Message message = message_with("Subject: x\r\n\r\n");
  message.id =
      "a\x01\x7f"
      "b\xff";
  CHECK(through_line(message).id == "a??b\xef\xbf\xbd");
}

TEST_CASE("job line: a content of pieces is written as one") {
  Message message = message_with("Subject: x\r\n\r\n");
  ContentMaker maker(NewlinePolicy::strict);
  const Bytes texts[] = {"Subject: many\r\n\r\nHello ", " and welcome\r\n"};
  const auto shared = maker.share(texts);
  REQUIRE(shared);
  maker.begin(message.content, *shared);
  maker.add_segment(message.content, 0);
  maker.add_value(message.content, "Ann");
  maker.add_segment(message.content, 1);
  REQUIRE(maker.finish(message.content));
  CHECK(through_line(message).content.text() == "Subject: many\r\n\r\nHello Ann and welcome\r\n");
}

}  // namespace ringpost::codec
