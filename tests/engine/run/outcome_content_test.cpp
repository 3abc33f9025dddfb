#include "engine/run/outcome_content.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

#include "codec/job/outcome_writer.h"
#include "tests/support/temporary_folder.h"

namespace ringpost::run {

namespace {

// As a run writes it.
std::string some_line() {
  Message job;
  job.id = "an \"id\" \\ with what has to be escaped";
  job.tags_json = R"(["a","b"])";
  job.metadata_json = R"({"status":{"deep":[1,"}"]}})";
  job.recipients.add("b@example.net");
  Outcome outcome;
  outcome.status = Status::accepted;
  outcome.text = "Ok: queued";
  std::string lines;
  codec::OutcomeWriter writer;
  writer.append(lines, job, 0, outcome);
  return lines;
}

}  // namespace

TEST_CASE("outcome content: a line is known, and so is each beginning of one") {
  const std::string line = some_line();
  for (std::size_t length = 0; length <= line.size(); ++length) {
    INFO(line.substr(0, length));
    CHECK(holds_outcome_lines(line.substr(0, length)));
    // A run that goes on behind a torn line ends it.
    CHECK(holds_outcome_lines(line.substr(0, length) + "\n"));
  }
  CHECK(holds_outcome_lines(line + line));
  CHECK(holds_outcome_lines(std::string(4096, '\0') + "rest\"}\n" + line));
}

TEST_CASE("outcome content: fields may be in another order, with white space between") {
  CHECK(holds_outcome_lines(R"({ "rcpt" : "b" , "tags":["x",{"y":1}], "id":"a", "status": "x"})"));
  CHECK(holds_outcome_lines(R"({"id":"a","code":250,"rcpt":null,"status":"invalid"})"));
}

TEST_CASE("outcome content: everything else is something else") {
  for (const Bytes head :
       {"x", "x\n", "[]", "{}\n", "{\"status\":\"accepted\"}", "{\"id\":\"a\",\"status\":\"x\"}\n",
        "{\"id\":\"a\",\"from\":\"b@c.example\"", "{\"id\":\"a\"}\n", "{\"id\" \"a\"", "RPJRNL1\n",
        "{\"rcpt\":\"b\",\"subject\":\"x\",\"status\":\"x\"}", "id,rcpt,status\n",
        "\x1f\x8b\x08"}) {
    INFO(head);
    CHECK_FALSE(holds_outcome_lines(head));
  }
}

TEST_CASE("outcome content: what is there instead is shown when it is text, and only then") {
  const ringpost::test::TemporaryFolder folder;
  const auto why = [&](const std::string& octets) {
    const auto checked = check_outcome_content("--outcomes", folder.write("file", octets));
    REQUIRE_FALSE(checked.has_value());
    return checked.error();
  };
  const std::string shown = R"((it begins with "one,\ttwo\r"))";
  CHECK(why("one,\ttwo\r\nthree").find(shown) != std::string::npos);
  CHECK(why(std::string(4000, 'x')).size() < 250);
  const std::string binaries[] = {"\x7f\x45LF\x02\x01", std::string(100, '\0') + "x", "\x1b[2J"};
  for (const std::string& binary : binaries) {
    const std::string text = why(binary);
    INFO(text);
    CHECK(text.find("(it is no text)") != std::string::npos);
    CHECK(text.find("\\u") == std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
  }
}

}  // namespace ringpost::run
