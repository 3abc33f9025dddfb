#include "codec/job/outcome_writer.h"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/text/json_echo.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

struct Line {
  Message message;
  Outcome outcome;
};

Line job_with_recipient(Bytes address) {
  Line line;
  line.message.id = "u-1001";
  line.message.recipients.add(address);
  return line;
}

std::string line_of(const Line& line, std::span<const std::string> endpoints = {}) {
  OutcomeWriter writer(endpoints);
  std::string lines;
  writer.append(lines, line.message, 0, line.outcome);
  return lines;
}

}  // namespace

TEST_CASE("outcome_writer: a line has the fields of the contract in its order") {
  Line job = job_with_recipient("ann@example.net");
  ContentMaker::open(job.message.content).assign(2048, 'x');
  ContentMaker::abandon(job.message.content);
  job.message.tags_json = R"(["weekly-47"])";
  job.message.metadata_json = R"({"subscriber":1001})";
  job.message.recipient_id = "1001";
  Outcome& outcome = job.outcome;
  outcome.status = Status::accepted;
  outcome.stage = Stage::eod;
  outcome.code = 250;
  outcome.enhanced = {2, 0, 0};
  outcome.text = "Ok: queued as 4F2A";
  outcome.queue_id = "4F2A";
  outcome.attempts = 2;
  outcome.peer = "192.0.2.1:587";
  outcome.timestamp_us = 1'795'209'743'456'000;
  outcome.queue_ms = 0.125F;
  outcome.submit_ms = 50.5F;
  outcome.total_ms = 50.625F;
  outcome.endpoint = 1;
  outcome.reason = "after a second try";
  const std::vector<std::string> endpoints = {"ses", "relay"};
  CHECK(line_of(job, endpoints) ==
        R"({"id":"u-1001","rcpt_id":"1001","rcpt":"ann@example.net","status":"accepted",)"
        R"("code":250,"enhanced":"2.0.0","text":"Ok: queued as 4F2A","stage":"eod",)"
        R"("queue_id":"4F2A","attempts":2,"endpoint":"relay","peer":"192.0.2.1:587",)"
        R"("ts":"2026-11-20T21:22:23.456Z","ms":{"queue":0.125,"submit":50.5,"total":50.625},)"
        R"("bytes":2048,"tags":["weekly-47"],"metadata":{"subscriber":1001},)"
        R"("reason":"after a second try"})"
        "\n");
}

TEST_CASE("outcome_writer: fields without a value are left out, the six fixed ones stay") {
  const Line job = job_with_recipient("ann@example.net");
  CHECK(line_of(job) ==
        R"({"id":"u-1001","rcpt":"ann@example.net","status":"unsent","stage":"local","attempts":0,)"
        R"("ts":"1970-01-01T00:00:00.000Z"})"
        "\n");
}

TEST_CASE("outcome_writer: no endpoint is named when none was tried") {
  Line job = job_with_recipient("a@b");
  const std::vector<std::string> endpoints = {"ses"};
  CHECK(line_of(job, endpoints).find("endpoint") == std::string::npos);
  job.outcome.stage = Stage::connect;
  CHECK(line_of(job, endpoints).find(R"("endpoint":"ses")") != std::string::npos);
}

TEST_CASE("outcome_writer: the server's text is escaped, made UTF-8 and cut (S39)") {
  Line job = job_with_recipient("a@b");
  Outcome& outcome = job.outcome;
  outcome.text = "\x1b[31mno\r\n\xff \"x\"";
  CHECK(line_of(job).find(R"("text":"\u001b[31mno\r\n)"
                          "\xef\xbf\xbd"
                          R"( \"x\"")") != std::string::npos);
  outcome.text.assign(10'000, 'y');
  const std::string line = line_of(job);
  const std::string kept(limits::outcome_text_bytes_max - 3, 'y');
  CHECK(line.find("\"" + kept + "\xe2\x80\xa6\"") != std::string::npos);
}

TEST_CASE("outcome_writer: the general form knows recipient ids and attempts that are not final") {
  OutcomeWriter writer;
  OutcomeLine line;
  line.id = "x";
  line.recipient_id = "1001";
  line.recipient = "a@b";
  line.final = false;
  std::string lines;
  writer.append(lines, line, Outcome{});
  CHECK(lines == R"({"id":"x","rcpt_id":"1001","rcpt":"a@b","status":"unsent","stage":"local",)"
                 R"("attempts":0,"ts":"1970-01-01T00:00:00.000Z","final":false})"
                 "\n");
}

TEST_CASE("outcome_writer: whatever stands in the strings, each line is one line of JSON") {
  std::mt19937 random(21);
  const auto noise = [&random] {
    std::string text(random() % 40, ' ');
    for (char& octet : text) {
      octet = static_cast<char>(random() % 2 != 0 ? random() : 'a' + random() % 20);
      octet = octet == '\0' ? '\n' : octet;  // check_json() takes no NUL, the writer does
    }
    return text;
  };
  OutcomeWriter writer;
  for (int round = 0; round < 3000; ++round) {
    Line job = job_with_recipient(noise());
    job.message.id = noise();
    Outcome& outcome = job.outcome;
    outcome.text = noise();
    outcome.reason = noise();
    outcome.queue_id = noise();
    outcome.peer = noise();
    outcome.code = static_cast<std::uint16_t>(random());
    outcome.timestamp_us = static_cast<std::int64_t>(random());
    outcome.total_ms = static_cast<float>(random() % 100'000) / 7;
    std::string line;
    writer.append(line, job.message, 0, outcome);
    const bool one_line = line.ends_with('\n') && line.find('\n') == line.size() - 1;
    if (!one_line || !is_utf8(line) || !check_json(line, 3)) {
      FAIL("round " << round << ": " << line);
    }
  }
}
