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

struct SomeJob {
  Consignment consignment;
  Message& message = consignment.message;

  SomeJob() {
    message.id = "one";
    message.sender = "a@example.com";
    message.recipients.add("b@example.net");
  }
  void set_recipient(Bytes address) {
    message.recipients.clear();
    message.recipients.add(address);
  }
  std::string offence() { return submission_offence(consignment); }
};

std::string offence_of_address(const std::string& address) {
  SomeJob job;
  job.set_recipient(address);
  return job.offence();
}

// What the lines of all recipients of a refused message say.
std::string lines_of(Consignment& consignment) {
  codec::OutcomeWriter writer;
  std::string lines;
  for (const queue::DecidedRecipients& decided : report_submission(consignment.first)) {
    for (std::uint32_t i = decided.begin; i < decided.end; ++i) {
      writer.append(lines, consignment.message, i, outcome_of(consignment.first, i));
    }
  }
  return lines;
}

}  // namespace

TEST_CASE("submission: what a command can say is no offence") {
  SomeJob job;
  CHECK(job.offence().empty());
  CHECK_FALSE(job.message.needs_smtputf8);
  job.message.sender.clear();
  CHECK(job.offence().empty());
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
    SomeJob job;
    job.message.sender = address;
    CHECK(job.offence().starts_with("sender: ") != address.empty());
  }
}

TEST_CASE("submission: a recipient who is not sent to may have any address") {
  const PriorFate fate =
      GENERATE(PriorFate::has_it, PriorFate::done, PriorFate::in_doubt, PriorFate::left_out);
  SomeJob job;
  job.message.recipients.add("no-domain");
  CHECK_FALSE(job.offence().empty());
  job.consignment.fates = {PriorFate::none, fate};
  CHECK(job.offence().empty());
  job.consignment.fates = {PriorFate::none, PriorFate::resend_apart};
  CHECK_FALSE(job.offence().empty());
}

TEST_CASE("submission: what lies outside ASCII needs SMTPUTF8, and is marked so") {
  SomeJob job;
  job.set_recipient("j\xc3\xb6rg@example.net");
  CHECK(job.offence().empty());
  CHECK(job.message.needs_smtputf8);
  CHECK(offence_of_address("j\xff@example.net") != "");
}

TEST_CASE("submission: no id, no recipient, too many of them, wishes that are no words") {
  SomeJob nameless;
  nameless.message.id.clear();
  CHECK(nameless.offence() == "the job has no id");
  SomeJob for_nobody;
  for_nobody.message.recipients.clear();
  CHECK(for_nobody.offence() == "the job has no recipients");
  SomeJob for_all;
  while (for_all.message.recipients.size() <= limits::job_recipients_max) {
    for_all.message.recipients.add("b@example.net");
  }
  CHECK(for_all.offence().starts_with("the job has more than"));
  for (const char* const word : {"NEVER\r\nDATA", "never", "SUCCESS FAILURE"}) {
    SomeJob notified;
    notified.message.dsn.notify = word;
    CHECK(notified.offence().starts_with("dsn: "));
    SomeJob returned;
    returned.message.dsn.return_kind = word;
    CHECK(returned.offence().starts_with("dsn: "));
  }
  SomeJob named;
  named.message.dsn.envelope_id = std::string(101, 'x');
  CHECK(named.offence().starts_with("dsn: "));
}

TEST_CASE("submission: a refused message has a line for each recipient, or one with null") {
  Consignment nobody;
  nobody.message.id = "x";
  nobody.message.tags_json = R"(["weekly"])";
  decide_submission(nobody, protocol::verdict_of_local_refusal("from: is missing"), 0);
  REQUIRE(nobody.message.recipients.size() == 1);
  CHECK(nobody.first.outcomes_left == 1);
  CHECK(lines_of(nobody) ==
        R"({"id":"x","rcpt":null,"status":"invalid","stage":"local","attempts":0,)"
        R"("ts":"1970-01-01T00:00:00.000Z","tags":["weekly"],"reason":"from: is missing"})"
        "\n");
  Consignment two;
  two.message.recipients.add("a@b");
  two.message.recipients.add("bad\"\r\naddress");
  two.first.recipients.resize(1);
  two.first.recipients[0].outcome.attempts = 3;  // of another life
  decide_submission(two, protocol::verdict_of_local_refusal("to[1]: no"), 0);
  CHECK(two.first.outcomes_left == 2);
  const std::string lines = lines_of(two);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
  CHECK(lines.find(R"("rcpt":"a@b")") != std::string::npos);
  CHECK(lines.find(R"("attempts":3)") == std::string::npos);
  CHECK(lines.find(R"("rcpt":"bad\"\r\naddress")") != std::string::npos);
}

TEST_CASE("submission: whom an earlier run has told is not told of a refusal") {
  SomeJob job;
  job.message.recipients.add("c@example.net");
  job.consignment.fates = {PriorFate::has_it, PriorFate::none};
  decide_submission(job.consignment, protocol::verdict_of_local_refusal("no"), 0);
  CHECK(job.consignment.first.outcomes_left == 1);
  const auto decided = report_submission(job.consignment.first);
  REQUIRE(decided.size() == 1);
  CHECK(decided[0].begin == 1);
  CHECK(decided[0].end == 2);
  CHECK(outcome_of(job.consignment.first, 1).status == Status::invalid);
}

TEST_CASE("submission: whom an earlier run left in doubt stays so when the message is refused") {
  const bool resend = GENERATE(false, true);
  SomeJob job;
  job.message.recipients.add("c@example.net");
  job.consignment.fates = {resend ? PriorFate::resend_apart : PriorFate::in_doubt, PriorFate::none};
  decide_submission(job.consignment, protocol::verdict_of_local_refusal("no"), 9);
  const Delivery& delivery = job.consignment.first;
  CHECK(delivery.outcomes_left == 2);
  CHECK(outcome_of(delivery, 0).status == Status::unknown);
  CHECK(outcome_of(delivery, 0).reason.find("an earlier run") == 0);
  CHECK(outcome_of(delivery, 1).status == Status::invalid);
}

}  // namespace ringpost::engine
