#include "tools/send/run_report.h"

#include <chrono>
#include <csignal>
#include <string>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::cli {

namespace {

Outcome outcome_of(Status status, std::uint16_t code = 0, std::string words = {}) {
  Outcome outcome;
  outcome.status = status;
  outcome.stage = code == 0 ? Stage::local : Stage::rcpt;
  outcome.code = code;
  (code == 0 ? outcome.reason : outcome.text) = std::move(words);
  return outcome;
}

RunFacts facts_of(const run::RunTally& tally) {
  RunFacts facts;
  facts.tally = &tally;
  facts.seconds = 2;
  facts.jobs_read = 12;
  facts.statistics.content_bytes = 4'000'000;
  facts.statistics.sessions_opened = 4;
  facts.statistics.sessions_ready = 3;
  facts.statistics.sessions_resumed = 2;
  facts.endpoints = {{"relay", "DATA groups", {}, {}}};
  facts.outcomes_path = "outcomes.jsonl";
  return facts;
}

bool has(const std::string& text, std::string_view part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("run report: a run that went well is short") {
  run::RunTally tally;
  for (int i = 0; i < 10; ++i) {
    tally.count(outcome_of(Status::accepted, 250, "OK"));
  }
  CHECK(summary_text(facts_of(tally)) ==
        "accepted         10\n"
        "12 jobs in 2.00 s: 5 messages/s, 2.0 MB/s of content\n"
        "3 sessions of 4 connects, TLS resumed in 2; DATA groups\n"
        "outcomes: outcomes.jsonl\n");
}

TEST_CASE("run report: of a dry run it says how many are valid, and that nothing was sent") {
  run::RunTally tally;
  for (int i = 0; i < 4995; ++i) {
    tally.count(outcome_of(Status::unsent, 0, "dry run"));
  }
  tally.count(outcome_of(Status::invalid, 0, "no address"));
  RunFacts facts = facts_of(tally);
  facts.bytes_rehearsed = 61'340'000;
  const std::string text = summary_text(facts);
  CHECK(
      text.starts_with("4,995 valid, nothing was sent: 61.3 MB of content, checked in 2.00 s\n"
                       "invalid           1   mend the jobs first\n"
                       "most frequent reasons:\n         1  invalid"));
  CHECK(text.find("unsent") == std::string::npos);
  CHECK(text.find("accepted") == std::string::npos);
  CHECK(text.find("may help") == std::string::npos);
  CHECK(text.find("session") == std::string::npos);
  has(summary_json(facts), R"("bytes_rehearsed":61340000)");
  facts.bytes_rehearsed = 271;
  has(summary_text(facts), "nothing was sent: 0.3 KB of content");
  facts.bytes_rehearsed.reset();
  has(summary_text(facts), "unsent         4995   running them again may help\n");
  CHECK(summary_json(facts).find("bytes_rehearsed") == std::string::npos);
}

TEST_CASE("run report: what fitted no reply rule comes with the rules that would fit it") {
  const run::RunTally tally;
  RunFacts facts = facts_of(tally);
  EndpointReport& endpoint = facts.endpoints.front();
  endpoint.refusals_unruled = 7;
  endpoint.unruled = {{Stage::eod, 554, {5, 6, 0}, "strange content", "message", "reject", 6},
                      {Stage::eod, 554, {}, "", "message", "reject", 1},
                      {Stage::rcpt, 553, {}, "strange name", "recipient", "reject", 1}};
  const std::string rule =
      "[[endpoint.relay.reply]]\ncode = 554\nenhanced = \"5.6.0\"\ntext = \"strange content\"\n"
      "stage = \"eod\"\nscope = \"message\"\naction = \"reject\"\n";
  const std::string text = summary_text(facts);
  has(text, "endpoint relay: 7 refusals fitted no reply rule");
  has(text, "# 6 times\n" + rule + "# 1 time\n[[endpoint.relay.reply]]\ncode = 553\n");
  has(summary_json(facts), R"("refusals_unruled":7,"rules_proposed":["[[endpoint.relay.reply]]\n)");
  has(summary_json(facts_of(tally)), R"("refusals_unruled":0,"rules_proposed":[],)");
}

TEST_CASE("run report: what others have sent for an endpoint is said") {
  const run::RunTally tally;
  RunFacts facts = facts_of(tally);
  CHECK(summary_text(facts).find("did not answer") == std::string::npos);
  has(summary_json(facts), R"("handed_over":0)");
  facts.endpoints.front().handed_over = 1;
  has(summary_text(facts),
      "endpoint relay did not answer for a while: 1 transaction meant for it "
      "went to others\n");
  has(summary_json(facts), R"("handed_over":1)");
}

TEST_CASE("run report: what was not accepted comes with advice and its reasons") {
  run::RunTally tally;
  tally.count(outcome_of(Status::rejected, 550, "5.1.1 no such user 17"));
  tally.count(outcome_of(Status::deferred, 451, "4.7.1 later"));
  tally.count(outcome_of(Status::unknown));
  tally.count(outcome_of(Status::invalid, 0, "jobs.jsonl:3: to: no address"));
  RunFacts facts = facts_of(tally);
  facts.failures.push_back({"ses", "auth", "mx.example:587: no"});
  const std::string text = summary_text(facts);
  has(text, "accepted          0\n");
  has(text, "rejected          1\n");
  has(text, "deferred          1   running them again may help\n");
  has(text, "unknown           1   the server may have accepted them");
  has(text, "invalid           1   mend the jobs first\n");
  has(text, "         1  rejected at rcpt: 550 5.1.1 no such user 17\n");
  has(text, "         1  invalid at local: to: no address\n");
  has(text, "endpoint ses was given up at auth: mx.example:587: no\n");
  CHECK(text.find("expired") == std::string::npos);
}

TEST_CASE("run report: reasons name a job, next steps a command") {
  run::RunTally tally;
  tally.count(outcome_of(Status::rejected, 550, "5.1.1 no such user 17"), 0, "job-17");
  tally.count(outcome_of(Status::rejected, 550, "5.1.1 no such user 18"), 0, "job-18");
  RunFacts facts = facts_of(tally);
  facts.next_steps = {{"2 recipients were put off", "ringpost send 'a b' --resume"}};
  has(summary_text(facts),
      "         2  rejected at rcpt: 550 5.1.1 no such user 17; such as job job-17\n");
  has(summary_text(facts), "next: 2 recipients were put off:\n  ringpost send 'a b' --resume\n");
  has(summary_json(facts),
      R"("reasons":[{"count":2,"status":"rejected","stage":"rcpt","sample":"550 5.1.1 no such )"
      R"(user 17","id":"job-17"}],"next_steps":[{"why":"2 recipients were put off","command":)"
      R"("ringpost send 'a b' --resume"}],"endpoints":)");
}

TEST_CASE("run report: times of replies, and what each of several endpoints has done") {
  using namespace std::chrono_literals;
  run::RunTally tally;
  tally.count(outcome_of(Status::accepted, 250, "OK"));
  tally.count(outcome_of(Status::invalid));
  RunFacts facts = facts_of(tally);
  facts.counts.reply_times = {
      .count = 3, .p50 = 1ms, .p90 = 12ms, .p99 = 1s, .p999 = 9s, .max = 20s};
  has(summary_text(facts),
      "reply to a message: p50 1.0 ms, p90 12 ms, p99 1000 ms, p99.9 9000 ms, at most 20.0 s\n");
  CHECK(summary_text(facts).find("opening a session") == std::string::npos);
  CHECK(summary_text(facts).find("endpoint relay:") == std::string::npos);
  has(summary_json(facts), R"("reply_ms":{"count":3,"p50":1.000,"p90":12.000,"p99":1000.000,)");
  facts.endpoints.push_back({"other", "", {}, {}});
  Outcome refused = outcome_of(Status::rejected, 550, "no");
  refused.endpoint = 1;
  tally.count(refused);
  facts.endpoints[1].counts.sessions_opened = 3;
  facts.endpoints[1].counts.sessions_ready = 1;
  facts.endpoints[1].counts.reply_times = facts.counts.reply_times;
  has(summary_text(facts),
      "endpoint relay: accepted 1, 0 sessions\n"
      "endpoint other: accepted 0, rejected 1, 1 session of 3 connects; reply "
      "p50 1.0 ms, p99 1000 ms\n");
}

TEST_CASE("run report: lines that are not in a file are not said to be there") {
  const run::RunTally tally;
  RunFacts facts = facts_of(tally);
  facts.lost_lines = {{"errors.jsonl", 1}};
  std::string text = summary_text(facts);
  has(text, "outcomes: 1 line is missing from errors.jsonl, which could not be written\n");
  has(text, "outcomes: outcomes.jsonl\n");
  facts.lost_lines = {{"outcomes.jsonl", 12}, {"errors.jsonl", 1}};
  text = summary_text(facts);
  has(text, "outcomes: 12 lines are missing from outcomes.jsonl, which could not be written\n");
  CHECK(text.find("outcomes: outcomes.jsonl") == std::string::npos);
  has(summary_json(facts), R"(,"lost_lines":{"outcomes.jsonl":12,"errors.jsonl":1}}})");
  CHECK(summary_json(facts_of(tally)).find("lost_lines") == std::string::npos);
}

TEST_CASE("run report: of a run that was stopped it says how many jobs have no line") {
  const run::RunTally tally;
  RunFacts facts = facts_of(tally);
  CHECK(summary_text(facts).find("not read") == std::string::npos);
  CHECK(summary_json(facts).find("unread") == std::string::npos);
  facts.stopped_early = true;
  facts.jobs_unread = 3952;
  facts.unread_from = "jobs.jsonl:1047";
  has(summary_text(facts),
      "not read       3952   no outcome line of this run speaks of them; they begin at "
      "jobs.jsonl:1047\n");
  has(summary_json(facts), ",\"jobs_unread\":3952,\"unread_from\":\"jobs.jsonl:1047\"");
  facts.jobs_unread.reset();
  facts.unread_from.clear();
  has(summary_text(facts), "not read    unknown   no outcome line of this run speaks of them\n");
  has(summary_json(facts), ",\"jobs_unread\":null,\"unread_from\":\"\"");
}

TEST_CASE("run report: the JSON summary has every status, and escapes what others said") {
  run::RunTally tally;
  tally.count(outcome_of(Status::accepted, 250));
  RunFacts facts = facts_of(tally);
  facts.failures.push_back({"a\"b", "tls", "line\nbreak"});
  facts.signal = SIGINT;
  const std::string times =
      R"({"count":0,"p50":0.000,"p90":0.000,"p99":0.000,"p999":0.000,"max":0.000})";
  const std::string timed = R"("transactions":0,"reply_ms":)" + times + R"(,"opening_ms":)" + times;
  const std::string recipients =
      R"("recipients":{"accepted":1,"rejected":0,"deferred":0,"unsent":0,"unknown":0,)"
      R"("invalid":0,"expired":0,"skipped":0})";
  CHECK(summary_json(facts) ==
        R"({"summary":{)" + recipients +
            R"(,"jobs":12,"seconds":2.000,"messages_per_second":0,"content_bytes":4000000,)"
            R"("sessions_opened":4,"sessions_ready":3,"sessions_resumed":2,"turns":0,)"
            R"("ring_enters":0,"io":"ring",)" +
            timed +
            R"(,"reasons":[],"next_steps":[],"endpoints":[{)"
            R"("endpoint":"relay","pipelining":"DATA groups","fall_backs":[],"left":0,)"
            R"("handed_over":0,"port":587,"security":"starttls","ports_passed_over":[],)"
            R"("held_back_by":{},"refusals_unruled":0,"rules_proposed":[],)" +
            recipients + R"(,"sessions_opened":0,"sessions_ready":0,"sessions_resumed":0,)" +
            timed +
            R"(}],"endpoint_failures":[{"endpoint":"a\"b","stage":"tls",)"
            R"("message":"line\nbreak"}],"signal":2}})"
            "\n");
  facts.signal = 0;
  CHECK(summary_json(facts).find("signal") == std::string::npos);
}

TEST_CASE("run report: internal counters stand there when they are asked for") {
  run::RunTally tally;
  RunFacts facts = facts_of(tally);
  facts.statistics.messages = 8;
  facts.statistics.ring_enters = 2;
  facts.statistics.tls_records = 6;
  facts.statistics.sends = 4;
  facts.statistics.bytes_copied = 10'000'000;
  facts.statistics.worker_allocations = 77;
  CHECK(summary_text(facts).find("io_uring_enter") == std::string::npos);
  facts.internal = true;
  const std::string text = summary_text(facts);
  has(text, "             2       0.250  io_uring_enter calls\n");
  facts.statistics.io = IoChoice::epoll;
  has(summary_text(facts), "             2       0.250  system calls on sockets (epoll)\n");
  has(summary_json(facts), ",\"ring_enters\":2,\"io\":\"epoll\",");
  facts.statistics.io = IoChoice::ring;
  has(text, "     2.500  octets copied for each of content");
  has(text, "     1.500  TLS records a send\n");
  CHECK(text.find("allocations") == std::string::npos);
  const std::string json = summary_json(facts);
  has(json, ",\"internal\":{\"messages\":8,\"turns\":0,\"ring_enters\":2,");
  CHECK(json.ends_with("\"completion_overflows\":0}}}\n"));
  facts.allocations_counted = true;
  has(summary_text(facts), "            77       9.625  allocations, workers\n");
  has(summary_json(facts), "\"reader_allocations\":0,\"worker_allocations\":77,");
}

TEST_CASE(
    "run report: ways of speaking that did not work stand in the summary, with their reasons") {
  run::RunTally tally;
  RunFacts facts = facts_of(tally);
  facts.endpoints.front().fall_backs = {"goes on with DATA groups: a", "goes on with lock-step: b"};
  has(summary_text(facts), "endpoint relay goes on with DATA groups: a\nendpoint relay goes on ");
  has(summary_json(facts),
      "\"fall_backs\":[\"goes on with DATA groups: a\",\"goes on with lock-step: b\"]");
}

TEST_CASE("run report: the share that one endpoint left unsent while another worked is named") {
  run::RunTally tally;
  RunFacts facts = facts_of(tally);
  facts.endpoints.push_back({"other", "", {}, {}});
  Outcome left = outcome_of(Status::unsent, 0, "no connection");
  left.endpoint = 1;
  tally.count(left);
  tally.count(left);
  // Nobody worked: that is another matter, and the endpoint's failure says it.
  CHECK(summary_text(facts).find("share") == std::string::npos);
  tally.count(outcome_of(Status::accepted, 250, "OK"));
  has(summary_text(facts), "endpoint other left 2 recipients of its share unsent while another ");
  has(summary_json(facts),
      "{\"endpoint\":\"other\",\"pipelining\":\"\",\"fall_backs\":[],\"left\":2,\"handed_over\":0,"
      "\"port\":587,"
      "\"security\":\"starttls\",\"ports_passed_over\":[],\"held_back_by\":{},\"refusals_"
      "unruled\":0,\"rules_proposed\":[],\"recipients\":{\"accepted\":0,");
  // What fails at the one that works is its own.
  left.endpoint = 0;
  tally.count(left);
  CHECK(summary_text(facts).find("endpoint relay left") == std::string::npos);
}

TEST_CASE("run report: a run that took no time divides by nothing") {
  run::RunTally tally;
  tally.count(outcome_of(Status::accepted, 250));
  RunFacts facts = facts_of(tally);
  facts.seconds = 0;
  has(summary_text(facts), "12 jobs in 0.00 s: 1000 messages/s");
}

TEST_CASE("run report: which port was used, and why") {
  const run::RunTally tally;
  RunFacts facts = facts_of(tally);
  EndpointReport& endpoint = facts.endpoints.front();
  endpoint.port = {465, TransportSecurity::implicit};
  CHECK(summary_text(facts).find("uses port") == std::string::npos);
  has(summary_json(facts), R"("port":465,"security":"implicit","ports_passed_over":[],)");
  endpoint.ports_passed_over = {{587, "no greeting came"}, {2525, "no TLS came about"}};
  endpoint.why_port = "no greeting came on 587; no TLS came about on 2525";
  has(summary_text(facts),
      "endpoint relay uses port 465: no greeting came on 587; no TLS came about on 2525\n");
  has(summary_json(facts), R"("ports_passed_over":[{"port":587,"why":"no greeting came"},)"
                           R"({"port":2525,"why":"no TLS came about"}])");
}

}  // namespace ringpost::cli
