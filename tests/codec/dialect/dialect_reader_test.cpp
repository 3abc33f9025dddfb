// Bodies of services through the reader of jobs: what becomes of them, and of those that are
// refused.
#include <catch2/catch_test_macros.hpp>

#include "tests/codec/job/job_reader_support.h"

using namespace ringpost;
using codec::JobReader;

namespace {

constexpr Bytes good_body =
    R"({"personalizations":[{"to":[{"email":"ann@example.com"}],"bcc":[{"email":"b@example.com"}],)"
    R"("substitutions":{"-name-":"<Ann>"}}],"from":{"email":"s@example.com"},)"
    R"("subject":"Hi -name-",)"
    R"("content":[{"type":"text/plain","value":"{{-name-}}"}],"categories":["news"]})";

}  // namespace

TEST_CASE("A body is read as the job that it means", "[dialect]") {
  JobReader reader({.dialect = codec::Dialect::sendgrid});
  const test::Reading reading = test::read_with(reader, good_body);
  CHECK(reading.verdict() == "ok");
  CHECK(reading.recipients() == "ann@example.com b@example.com");
  CHECK(reading.job.sender == "s@example.com");
  CHECK(reading.job.tags_json == R"(["news"])");
  const std::string content(reading.job.content.text());
  CHECK(content.find("Subject: Hi <Ann>\r\n") != std::string::npos);
  CHECK(content.ends_with("\r\n\r\n{{<Ann>}}\r\n"));
  // The id of a line without one is a hash of the line, whatever it becomes.
  std::string id;
  codec::append_hex(id, codec::hash_line(good_body));
  CHECK(reading.job.id == id);
}

TEST_CASE("A body that is refused has its recipients and the service's words", "[dialect]") {
  JobReader reader({.dialect = codec::Dialect::sendgrid});
  std::string body(good_body);
  body.insert(1, R"("template_id":"d-1",)");
  const test::Reading refused = test::read_with(reader, body);
  CHECK(refused.verdict() == "unsupported_field template_id");
  CHECK(refused.recipients() == "ann@example.com b@example.com");
  // What only the job's reader sees is told as its own.
  body = good_body;
  body.insert(1, R"("headers":{"Content-Type":"x"},)");
  const test::Reading later = test::read_with(reader, body);
  REQUIRE(later.error);
  CHECK(later.error->kind == codec::JobErrorKind::invalid_header);
  CHECK(later.error->reason.ends_with("(in the job that the body becomes)"));
  CHECK(later.recipients() == "ann@example.com b@example.com");
  CHECK(test::read_with(reader, good_body).verdict() == "ok");
  CHECK(test::read_with(reader, R"({"id":"1","from":"a@example.com","to":"b@example.com"})")
            .verdict() == "unknown_field id");
}
