#include <array>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "tests/tools/serve/http/http_support.h"
#include "tools/serve/http/inject_exchange.h"

namespace ringpost::http {

namespace {

std::array<std::uint64_t, status_count> counts(std::initializer_list<Status> statuses) {
  std::array<std::uint64_t, status_count> by_status{};
  for (const Status status : statuses) {
    ++by_status[static_cast<std::size_t>(status)];
  }
  return by_status;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("inject: HTTP's status is what all recipients share, or 207") {
  CHECK(status_of(counts({Status::accepted, Status::accepted})) == 200);
  CHECK(status_of(counts({Status::rejected, Status::invalid})) == 422);
  CHECK(status_of(counts({Status::deferred, Status::unsent, Status::expired})) == 503);
  CHECK(status_of(counts({Status::unknown})) == 504);
  CHECK(status_of(counts({Status::accepted, Status::rejected})) == 207);
  CHECK(status_of(counts({Status::unknown, Status::deferred})) == 207);
}

TEST_CASE("inject: the answer waits for the outcome, and has it") {
  HeldClient client;
  client.say(post("/v1/inject", job("a")));
  REQUIRE(client.taker.size() == 1);
  CHECK(client.taker.message(0).id == "a");
  client.wait(std::chrono::hours(1));
  CHECK(client.heard.empty());
  client.decide(Status::accepted, 250, "2.0.0 queued");
  CHECK(client.heard.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(has(client.heard, R"({"status":200,"outcomes":[{"id":"a","rcpt":"ann@example.net",)"));
  CHECK(client.connection->is_idle());
  client.say(post("/v1/inject", job("b")));
  client.decide(Status::deferred, 451, "later");
  CHECK(has(client.heard, "HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK(has(client.heard, "Retry-After: 5\r\n"));
}

TEST_CASE("inject: who has waited long enough is told so, and nothing more is tried") {
  HeldClient client;
  client.setup.exchange.answer_within = std::chrono::minutes(1);
  client.say(post("/v1/inject", job("a")));
  REQUIRE(client.taker.size() == 1);
  CHECK(client.taker.message(0).expires_at_us == 1'800'000'060'000'000);
  client.wait(std::chrono::seconds(59));
  CHECK(client.heard.empty());
  client.wait(std::chrono::seconds(1));
  CHECK(client.heard.starts_with("HTTP/1.1 504 Gateway Timeout\r\n"));
  CHECK(has(client.heard, "no answer of the provider within 1m"));
  CHECK_FALSE(client.taker.message(0).is_cancelled());
  // The connection goes on, and an outcome that comes late is nobody's.
  client.heard.clear();
  client.decide(Status::accepted);
  CHECK(client.heard.empty());
  client.say(post("/v1/inject", job("b")));
  client.decide(Status::accepted);
  CHECK(client.heard.starts_with("HTTP/1.1 200 OK\r\n"));

  HeldClient early;
  early.setup.exchange.answer_within = std::chrono::minutes(1);
  early.say(post("/v1/inject", job("a")));
  early.decide(Status::accepted);
  CHECK(early.heard.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(early.connection->is_idle());
}

TEST_CASE("inject: a long answer leaves in pieces, and what has not left is counted") {
  HeldClient client;
  std::string to;
  for (int i = 0; i < 3000; ++i) {
    to += fmt::format("{}\"u{}@example.net\"", i == 0 ? "" : ",", i);
  }
  client.say(post("/v1/inject", fmt::format(R"({{"id":"a","from":"a@example.com","bcc":[{}],)"
                                            R"("to":"b@example.net","text":"x"}})",
                                            to)));
  client.taker.decide_all(Status::accepted);
  client.connection->go_on(client.now);
  const std::string first = client.connection->collect(client.now);
  CHECK(first.size() < 100'000);
  CHECK(client.budget.left() < bytes_waiting_max);
  client.heard = first;
  client.connection->sent(true, client.now);
  client.pump();
  CHECK(client.budget.left() == bytes_waiting_max);
  CHECK(client.connection->is_idle());
  const std::size_t body = client.heard.find("\r\n\r\n") + 4;
  CHECK(has(client.heard, fmt::format("Content-Length: {}\r\n", client.heard.size() - body)));
  CHECK(client.heard.ends_with("}]}\n"));
  std::size_t outcomes = 0;
  for (std::size_t at = client.heard.find("{\"id\":"); at != std::string::npos;
       at = client.heard.find("{\"id\":", at + 1)) {
    ++outcomes;
  }
  CHECK(outcomes == 3001);
}

TEST_CASE("inject: a body that is no job says where, and what a job is") {
  HeldClient client;
  client.say(
      post("/v1/inject", "{\"from\":\"a@example.com\",\n  \"to\":\"b@example.net\" \"x\":1}"));
  CHECK(client.heard.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(has(client.heard, "the body is not JSON: line 2, column 24"));
  client.say(post("/v1/inject", job("a") + "\n" + job("b")));
  CHECK(has(client.heard, "something stands behind the JSON object: line 2, column 1"));
  CHECK(has(client.heard, "/v1/jobs"));
  client.say(post("/v1/inject", ""));
  CHECK(has(client.heard, "the body is empty"));
  client.say(post("/v1/inject", "{\"from\":"));
  CHECK(has(client.heard, "the body ends before its JSON does"));
  CHECK(client.taker.size() == 0);
}

TEST_CASE("inject: a job that is none is an outcome, too") {
  HeldClient client;
  client.say(
      post("/v1/inject", R"({"id":"a","from":"a@example.com","to":"b@example.net","tex":""})"));
  REQUIRE(client.taker.size() == 1);
  client.decide(Status::invalid);
  CHECK(client.heard.starts_with("HTTP/1.1 422 "));
  CHECK(has(client.heard, R"("error":"tex: unknown field; did you mean \"text\"?")"));
  CHECK(has(client.heard, R"("rcpt":"b@example.net","status":"invalid")"));
}

TEST_CASE("inject: files of this machine are nobody's") {
  HeldClient client;
  client.say(post("/v1/inject",
                  R"({"from":"a@example.com","to":"b@example.net","raw_file":"/etc/passwd"})"));
  REQUIRE(client.taker.size() == 1);
  client.decide(Status::invalid);
  CHECK(has(client.heard, "raw_file"));
  CHECK(client.heard.starts_with("HTTP/1.1 422 "));
}

TEST_CASE("inject: without room for the first message it is 429, after a moment") {
  HeldClient client;
  client.taker.most = 0;
  client.say(post("/v1/inject", job("a")));
  CHECK(client.heard.empty());
  client.wait(room_patience);
  CHECK(client.heard.starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
  CHECK(has(client.heard, "Retry-After: 5\r\n"));
  client.heard.clear();
  client.say(post("/v1/inject", job("b")));
  client.taker.most = 1;
  client.wait(room_look_every);
  client.decide(Status::accepted);
  CHECK(client.heard.starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("inject: KumoMTA's clients are answered with counts") {
  HeldClient client;
  client.say(post(
      "/api/inject/v1",
      R"({"envelope_sender":"a@example.com","recipients":[{"email":"b@example.net"},)"
      R"({"email":"c@example.org"}],"content":{"from":{"email":"a@example.com"},"subject":"x",)"
      R"("text_body":"Hi"}})"));
  REQUIRE(client.taker.size() == 2);
  client.decide(Status::accepted, 250, "ok");
  client.decide(Status::rejected, 550, "no such user");
  CHECK(client.heard.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(has(client.heard,
            R"({"success_count":1,"fail_count":1,"failed_recipients":["c@example.org"],)"
            R"("errors":["c@example.org: 550 no such user"]})"));
}

TEST_CASE("inject: what listmonk posts is a job") {
  HeldClient client;
  client.say(post("/v1/listmonk",
                  R"({"subject":"Hi","from_email":"a@example.com","content_type":"html",)"
                  R"("body":"<p>Hi</p>","recipients":[{"uuid":"u","email":"b@example.net",)"
                  R"("name":"B","attribs":{},"status":"enabled"}],)"
                  R"("campaign":{"uuid":"c","name":"N","headers":[],"tags":["t"]}})"));
  REQUIRE(client.taker.size() == 1);
  client.decide(Status::accepted);
  CHECK(client.heard.starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("jobs: outcomes come while jobs are sent") {
  HeldClient client;
  client.say("POST /v1/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(client.heard.empty());
  const std::string line = job("a") + "\n";
  client.say(fmt::format("{:x}\r\n{}\r\n", line.size(), line), 5);
  REQUIRE(client.taker.size() == 1);
  client.decide(Status::accepted);
  CHECK(client.heard.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(has(client.heard, R"({"id":"a","rcpt":"ann@example.net","status":"accepted")"));
  client.say("4\r\nnope\r\n0\r\n\r\n");
  REQUIRE(client.taker.size() == 1);
  CHECK_FALSE(client.heard.ends_with("0\r\n\r\n"));
  client.decide(Status::invalid);
  CHECK(has(client.heard, "http:2: "));
  CHECK(client.heard.ends_with("0\r\n\r\n"));
  CHECK(client.connection->is_idle());
}

TEST_CASE("jobs: a line that is none does not end the stream, and templates are known below") {
  HeldClient client;
  const std::string body = R"({"define":"t","from":"a@example.com","subject":"Hi {{name}}",)"
                           R"("text":"Hi {{name}}"})"
                           "\n\n[1]\n"
                           R"({"id":"b","template":"t","recipients":[)"
                           R"({"email":"c@example.org","merge":{"name":"C"}},)"
                           R"({"email":"d@example.org"}]})"
                           "\n" +
                           job("e");
  client.say(post("/v1/jobs", body));
  REQUIRE(client.taker.size() == 4);
  client.taker.decide_all(Status::accepted);
  client.pump();
  CHECK(has(client.heard, "http:3: this line is a list"));
  CHECK(has(client.heard, R"("rcpt":"c@example.org","status":"accepted")"));
  CHECK(has(client.heard, R"("rcpt":"d@example.org","status":"invalid")"));
  CHECK(has(client.heard, R"({"id":"e",)"));
}

TEST_CASE("jobs: without room nothing is read, and nothing is lost") {
  HeldClient client;
  client.taker.most = 3;
  std::string body;
  for (int i = 0; i < 50; ++i) {
    body += job(std::to_string(i)) + "\n";
  }
  client.say(post("/v1/jobs", body), 100);
  CHECK(client.taker.size() == 3);
  CHECK_FALSE(client.unsaid.empty());
  std::size_t told = 0;
  while (client.taker.size() > 0) {
    client.decide(Status::accepted);
    ++told;
    client.wait(room_look_every);
    client.go_on_saying();
  }
  CHECK(told == 50);
  CHECK(client.heard.ends_with("0\r\n\r\n"));
}

TEST_CASE("jobs: a client that reads nothing is not read either") {
  HeldClient client;
  client.say("POST /v1/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string line = job(std::string(400, 'x')) + "\n";
  const std::string chunk = fmt::format("{:x}\r\n{}\r\n", line.size(), line);
  std::size_t sent = 0;
  // Outcomes are told at once, and what may leave is not taken.
  while (client.connection->wants_input() && sent < 100'000) {
    client.connection->received(chunk, client.now);
    client.taker.decide_all(Status::accepted);
    client.connection->go_on(client.now);
    ++sent;
  }
  CHECK(sent > 10'000);
  CHECK(sent < 40'000);
  client.pump();
  CHECK(client.connection->wants_input());
}

TEST_CASE("jobs: an end in the middle says from which line on nothing was taken") {
  HeldClient client;
  client.say("POST /v1/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string lines = job("a") + "\n" + job("b") + "\n{\"id\":";
  client.say(fmt::format("{:x}\r\n{}\r\n", lines.size(), lines));
  client.say("no length\r\n");
  client.taker.decide_all(Status::accepted);
  client.pump();
  CHECK(has(client.heard, R"({"id":"b",)"));
  CHECK(has(client.heard, "nothing more was taken from line 3 on"));
  CHECK(client.heard.ends_with("0\r\n\r\n"));
  CHECK(client.connection->is_leaving());
}

TEST_CASE("jobs: when the program ends, what was taken is told, and from where on nothing was") {
  HeldClient client;
  client.say("POST /v1/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string line = job("a") + "\n";
  const std::string chunk = fmt::format("{:x}\r\n{}\r\n", line.size(), line);
  client.say(chunk);
  client.taker.is_closed = true;
  client.say(chunk);
  client.decide(Status::unsent);
  CHECK(has(client.heard, R"("status":"unsent")"));
  CHECK(has(client.heard, "takes no more jobs; nothing more was taken from line 2 on"));
}

TEST_CASE("jobs: a client that is gone leaves its jobs on their way") {
  HeldClient client;
  client.say(post("/v1/jobs", job("a") + "\n" + job("b")));
  CHECK(client.taker.size() == 2);
  client.connection.reset();
  client.taker.decide_all(Status::accepted);
  CHECK(client.taker.size() == 0);
  CHECK(client.budget.left() == bytes_waiting_max);
}

TEST_CASE("jobs: lines of all connections together have a bound") {
  HeldClient first;
  ByteBudget budget(2'000'000);
  first.setup.exchange.budget = &budget;
  HeldClient second;
  second.setup.exchange.budget = &budget;
  const std::string head =
      "POST /v1/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1e8480\r\n";
  first.say(head + "{\"id\":\"" + std::string(700'000, 'x'));
  CHECK(first.heard.empty());
  second.say(head + "{\"id\":\"" + std::string(1'500'000, 'x'));
  CHECK(second.heard.starts_with("HTTP/1.1 429 "));
  first.connection.reset();
  second.connection.reset();
  CHECK(budget.left() == 2'000'000);
}

// ---- Stored first -------------------------------------------------------------------------------

TEST_CASE("storing: HTTP's status says whether all, some or nothing is stored") {
  const auto status = [](StoredCounts storing, std::uint64_t invalid, bool is_whole = true) {
    return status_of_storing(storing, invalid, is_whole);
  };
  CHECK(status({.stored = 2}, 0) == 202);
  CHECK(status({}, 0) == 202);  // nothing was asked for
  CHECK(status({.stored = 2}, 1) == 207);
  CHECK(status({.stored = 2}, 0, false) == 207);
  CHECK(status({.stored = 2, .refused = 1}, 0) == 207);
  CHECK(status({.refused = 1}, 1) == 207);
  CHECK(status({}, 1) == 422);
  CHECK(status({.refused = 1, .lacked_room = true}, 0) == 429);
  CHECK(status({.refused = 1}, 0) == 503);
}

TEST_CASE("storing: jobs are answered when all of them are stored") {
  using Stored = MessageTaker::Stored;
  HeldClient client;
  client.taker.has_spool = true;
  client.say(post("/v1/jobs?wait=accepted", job("a") + "\n" + job("b") + "\n"));
  client.end_storing(Stored::yes);
  CHECK(client.heard.empty());
  client.end_storing(Stored::yes);
  CHECK(client.heard.starts_with("HTTP/1.1 202 Accepted\r\n"));
  CHECK(client.heard.ends_with("{\"stored\":2,\"outcomes\":[]}\n"));
  CHECK(client.taker.size() == 0);  // nobody else was given any
  CHECK(client.connection->is_idle());
}

TEST_CASE("storing: what is not stored is named, and what can never be sent is an outcome") {
  using Stored = MessageTaker::Stored;
  HeldClient client;
  client.taker.has_spool = true;
  std::string lost = job("lost");
  lost.insert(1, R"("endpoint":"none",)");
  client.say(post("/v1/jobs?wait=accepted", job("a") + "\n" + job("b") + "\n" + lost + "\n"));
  client.end_storing(Stored::yes);
  client.end_storing(Stored::no_room);
  client.decide(Status::invalid);
  CHECK(client.heard.starts_with("HTTP/1.1 207 "));
  CHECK(has(client.heard, R"({"stored":1,"not_stored":["b"],"outcomes":[{"id":"lost",)"));
  CHECK(has(client.heard, R"("reason":"there is no such endpoint"}]})"));
}

TEST_CASE("storing: a full spool is 429, and what was taken before is told") {
  HeldClient client;
  client.taker.has_spool = true;
  client.taker.most = 0;
  client.say(post("/v1/jobs?wait=accepted", job("a") + "\n"));
  CHECK(client.heard.starts_with("HTTP/1.1 429 "));
  CHECK(has(client.heard, "Retry-After: "));
  HeldClient second;
  second.taker.has_spool = true;
  second.taker.most = 1;
  second.say(post("/v1/jobs?wait=accepted", job("a") + "\n" + job("b") + "\n"));
  second.end_storing(MessageTaker::Stored::yes);
  CHECK(second.heard.starts_with("HTTP/1.1 207 "));
  CHECK(has(second.heard, "nothing more was taken from line 2 on"));
  CHECK(has(second.heard, R"("stored":1)"));
}

TEST_CASE("storing: one job is answered when it is stored") {
  HeldClient client;
  client.taker.has_spool = true;
  client.say(post("/v1/inject?wait=accepted", job("a")));
  CHECK(client.heard.empty());
  client.end_storing(MessageTaker::Stored::yes);
  CHECK(client.heard.starts_with("HTTP/1.1 202 Accepted\r\n"));
  CHECK(client.heard.ends_with("{\"status\":202,\"stored\":1,\"outcomes\":[]}\n"));
  client.say(post("/v1/inject?wait=accepted", job("b")));
  client.end_storing(MessageTaker::Stored::failed);
  CHECK(has(client.heard, "HTTP/1.1 503 "));
  CHECK(has(client.heard, R"({"status":503,"stored":0,"not_stored":["b"],"outcomes":[]})"));
}

}  // namespace ringpost::http
