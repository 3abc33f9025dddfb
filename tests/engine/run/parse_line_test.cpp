#include "engine/run/parse_line.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::run {

namespace {

// The text with the padding that the reader wants.
JobInput::Line line_of(std::string& text, Bytes file, std::uint64_t number) {
  const std::size_t bytes = text.size();
  text.append(codec::JobReader::padding_bytes, '\0');
  JobInput::Line line;
  line.text = Bytes(text).substr(0, bytes);
  line.file = file;
  line.number = number;
  return line;
}

}  // namespace

TEST_CASE("parse line: a good line becomes a job that knows where it stood") {
  codec::JobReader reader({});
  std::string text =
      R"({"id":"one","from":"a@b.example","to":"c@d.example","subject":"s","text":"t\n"})";
  Message job;
  REQUIRE(parse_line(reader, line_of(text, "jobs.jsonl", 7), 0, job).has_value());
  CHECK(job.id == "one");
  CHECK(job.origin.file == "jobs.jsonl");
  CHECK(job.origin.line == 7);
  CHECK(job.recipients.size() == 1);
}

TEST_CASE("parse line: a bad one says file, line, field and why, and keeps its id and recipients") {
  codec::JobReader reader({});
  std::string text = R"({"id":"one","from":"a@b.example","to":["c@d.example"],"sbject":"s"})";
  Message job;
  const auto parsed = parse_line(reader, line_of(text, "jobs.jsonl", 7), 0, job);
  REQUIRE_FALSE(parsed.has_value());
  INFO(parsed.error());
  CHECK(parsed.error().starts_with("jobs.jsonl:7: "));
  CHECK(parsed.error().find("sbject") != std::string::npos);
  CHECK(job.id == "one");
  REQUIRE(job.recipients.size() == 1);
  CHECK(job.recipients[0] == "c@d.example");
}

TEST_CASE("parse line: standard input has a name that people know") {
  codec::JobReader reader({});
  std::string text = "{";
  Message job;
  const auto parsed = parse_line(reader, line_of(text, "-", 2), 0, job);
  REQUIRE_FALSE(parsed.has_value());
  CHECK(parsed.error().starts_with("stdin:2: "));
  CHECK_FALSE(job.id.empty());
}

TEST_CASE("parse line: a line that was too long is a job with a name, and says what to do") {
  codec::JobReader reader({});
  JobInput::Line line;
  line.file = "jobs.jsonl";
  line.number = 3;
  line.too_long = true;
  Message job;
  const auto parsed = parse_line(reader, line, 0, job);
  REQUIRE_FALSE(parsed.has_value());
  CHECK(parsed.error().starts_with("jobs.jsonl:3: the line is longer than 64 MiB"));
  CHECK(parsed.error().find("raw_file") != std::string::npos);
  CHECK(job.id == "line-3");
  CHECK(job.origin.file == "jobs.jsonl");
  CHECK(job.origin.line == 3);
  CHECK(job.recipients.size() == 0);
}

}  // namespace ringpost::run
