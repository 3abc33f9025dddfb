// What a program gives the engine that no command of SMTP could say: an error value, never the end
// of the process.
#include "engine/submission.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "codec/job/outcome_writer.h"
#include "engine/outcome_record.h"
#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

Job some_job() {
  Job job;
  job.id = "one";
  job.sender = "a@example.com";
  job.add_recipient().address = "b@example.net";
  return job;
}

std::string offence_of_address(const std::string& address) {
  Job job = some_job();
  job.recipients[0].address = address;
  return submission_offence(job);
}

}  // namespace

TEST_CASE("submission: what a command can say is no offence") {
  Job job = some_job();
  CHECK(submission_offence(job).empty());
  CHECK_FALSE(job.needs_smtputf8);
  job.sender.clear();
  CHECK(submission_offence(job).empty());
  for (const char* const address :
       {"a+b=c@example.com", "\"a b\"@example.com", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]",
        "a@xn--bcher-kva.example", "\"a>b\"@example.com"}) {
    INFO(address);
    CHECK(offence_of_address(address) == "");
  }
}

TEST_CASE("submission: line ends, NUL and what would end an argument are offences") {
  const std::vector<std::string> addresses = {"",
                                              "b@example.net\r\nRCPT TO:<c@example.net>",
                                              "b\n@example.net",
                                              "b@example.net\r",
                                              std::string("b\0@example.net", 14),
                                              "b@example.net> NOTIFY=NEVER",
                                              "b c@example.net",
                                              "b@exam ple.net",
                                              "<b@example.net>",
                                              "b@",
                                              "@example.net",
                                              "nobody",
                                              "\"b\r\n\"@example.net",
                                              "b@" + std::string(300, 'd') + ".example",
                                              std::string(10'000, 'b') + "@example.net"};
  for (const std::string& address : addresses) {
    INFO(address.substr(0, 60));
    CHECK(offence_of_address(address).starts_with("recipient: "));
    Job job = some_job();
    job.sender = address;
    CHECK(submission_offence(job).starts_with("sender: ") != address.empty());
  }
}

TEST_CASE("submission: a recipient who is decided is not sent to, whatever the address") {
  Job job = some_job();
  Recipient& other = job.add_recipient();
  other.address = "no-domain";
  CHECK_FALSE(submission_offence(job).empty());
  job.recipients[1].decided = true;
  CHECK(submission_offence(job).empty());
}

TEST_CASE("submission: what lies outside ASCII needs SMTPUTF8, and is marked so") {
  Job job = some_job();
  job.recipients[0].address = "j\xc3\xb6rg@example.net";
  CHECK(submission_offence(job).empty());
  CHECK(job.needs_smtputf8);
  CHECK(offence_of_address("j\xff@example.net") != "");
}

TEST_CASE("submission: no id, no recipient, too many of them, wishes that are no words") {
  Job job = some_job();
  job.id.clear();
  CHECK(submission_offence(job) == "the job has no id");
  job = some_job();
  job.recipient_count = 0;
  CHECK(submission_offence(job) == "the job has no recipients");
  job = some_job();
  while (job.recipient_count <= limits::job_recipients_max) {
    job.add_recipient().address = "b@example.net";
  }
  CHECK(submission_offence(job).starts_with("the job has more than"));
  for (const char* const word : {"NEVER\r\nDATA", "never", "SUCCESS FAILURE"}) {
    job = some_job();
    job.dsn.notify = word;
    CHECK(submission_offence(job).starts_with("dsn: "));
    job = some_job();
    job.dsn.return_kind = word;
    CHECK(submission_offence(job).starts_with("dsn: "));
  }
  job = some_job();
  job.dsn.envelope_id = std::string(101, 'x');
  CHECK(submission_offence(job).starts_with("dsn: "));
}

TEST_CASE("submission: a refused job has a line for each recipient, or one with null") {
  codec::OutcomeWriter writer;
  std::string lines;
  Job job;
  job.id = "x";
  job.tags_json = R"(["weekly"])";
  refuse_submission(job, "from: is missing", 0);
  REQUIRE(job.recipient_count == 1);
  CHECK(job.outcomes_left == 1);
  CHECK(job.recipients[0].decided);
  writer.append(lines, job, 0);
  CHECK(lines == R"({"id":"x","rcpt":null,"status":"invalid","stage":"local","attempts":0,)"
                 R"("ts":"1970-01-01T00:00:00.000Z","tags":["weekly"],"reason":"from: is missing"})"
                 "\n");
  job.clear();
  job.add_recipient().address = "a@b";
  job.add_recipient().address = "bad\"\r\naddress";
  job.recipients[0].outcome.attempts = 3;  // of another life
  refuse_submission(job, "to[1]: no", 0);
  CHECK(job.outcomes_left == 2);
  lines.clear();
  writer.append(lines, job, 0);
  writer.append(lines, job, 1);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
  CHECK(lines.find(R"("rcpt":"a@b")") != std::string::npos);
  CHECK(lines.find(R"("attempts":3)") == std::string::npos);
  CHECK(lines.find(R"("rcpt":"bad\"\r\naddress")") != std::string::npos);
}

TEST_CASE("submission: whom an earlier run has told is not told of a refusal") {
  Job job = some_job();
  job.add_recipient().address = "c@example.net";
  record_told(job.recipients[0].outcome, Status::accepted);
  job.recipients[0].decided = job.recipients[0].reported = true;
  refuse_submission(job, "no", 0);
  CHECK(job.outcomes_left == 1);
  CHECK(job.recipients[0].outcome.status == Status::accepted);
  CHECK(job.recipients[1].outcome.status == Status::invalid);
}

TEST_CASE("submission: whom an earlier run left in doubt stays so when the job is refused") {
  const bool resend = GENERATE(false, true);
  Job job = some_job();
  job.add_recipient().address = "c@example.net";
  record_local(job.recipients[0].outcome,
               resend ? protocol::verdict_of_earlier_doubt() : protocol::verdict_of_killed_run(),
               7);
  job.recipients[0].decided = !resend;
  refuse_submission(job, "no", 9);
  CHECK(job.outcomes_left == 2);
  CHECK(job.recipients[0].decided);
  CHECK(job.recipients[0].outcome.status == Status::unknown);
  CHECK(job.recipients[0].outcome.reason.find("an earlier run") == 0);
  CHECK(job.recipients[1].outcome.status == Status::invalid);
}

}  // namespace ringpost::engine
