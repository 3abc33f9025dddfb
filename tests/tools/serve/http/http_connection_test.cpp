#include "tools/serve/http/http_connection.h"

#include <string>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "tests/tools/serve/http/http_support.h"
#include "tools/serve/http/http_limits.h"

namespace ringpost::http {

namespace {

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("connection: requests one behind the other are answered in their order") {
  HeldClient client;
  client.say(get("/healthz") + post("/v1/inject", job("a")) + get("/v1/stats") + get("/nowhere"));
  CHECK(count_of(client.heard, "HTTP/1.1 ") == 1);
  client.decide(Status::accepted);
  CHECK(count_of(client.heard, "HTTP/1.1 ") == 4);
  CHECK(client.heard.find("alive") < client.heard.find("\"outcomes\""));
  CHECK(client.heard.find("\"outcomes\"") < client.heard.find("figures"));
  CHECK(client.heard.find("figures") < client.heard.find("404 Not Found"));
  CHECK(client.connection->is_idle());
}

TEST_CASE("connection: any split of the octets gives the same answers") {
  std::string whole;
  for (const std::size_t part : {std::size_t{1}, std::size_t{3}, std::size_t{50}, read_bytes}) {
    CAPTURE(part);
    HeldClient client;
    client.say(get("/metrics") + post("/v1/jobs", job("a") + "\nnope\n") + get("/readyz"), part);
    client.taker.decide_all(Status::accepted);
    client.pump();
    client.go_on_saying();
    CHECK(count_of(client.heard, "HTTP/1.1 200") == 3);
    whole = whole.empty() ? client.heard : whole;
    CHECK(client.heard == whole);
  }
}

TEST_CASE("connection: whoever wants to know whether mail goes out is told why not") {
  HeldClient client;
  client.not_ready = "relay: the password was refused";
  client.say(get("/readyz"));
  CHECK(client.heard.starts_with("HTTP/1.1 503 "));
  CHECK(
      client.heard.ends_with("{\"ready\":false,\"reason\":\"relay: the password was refused\"}\n"));
}

TEST_CASE("connection: HEAD has the head of an answer, and no body") {
  HeldClient client;
  client.say("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.heard.find("Content-Length: 14\r\n") != std::string::npos);
  CHECK(client.heard.ends_with("\r\n\r\n"));
}

TEST_CASE(
    "connection: a body waits for 100 when the client says so, and comes never when refused") {
  HeldClient client;
  client.say(
      "POST /v1/inject HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
      "Expect: 100-continue\r\n\r\n");
  CHECK(client.heard == "HTTP/1.1 100 Continue\r\n\r\n");
  HeldClient other;
  other.say(
      "POST /v1/inject HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n"
      "Expect: 100-continue\r\n\r\n");
  CHECK(other.heard.starts_with("HTTP/1.1 413 Content Too Large\r\n"));
  CHECK(other.heard.find("Connection: close\r\n") != std::string::npos);
  CHECK(other.connection->is_leaving());
}

TEST_CASE("connection: HTTP/1.0 has its jobs answered up to the end of the connection") {
  HeldClient client;
  const std::string line = job("a");
  client.say(
      fmt::format("POST /v1/jobs HTTP/1.0\r\nContent-Length: {}\r\n\r\n{}", line.size(), line));
  client.decide(Status::accepted);
  CHECK(client.heard.find("Transfer-Encoding") == std::string::npos);
  CHECK(client.heard.find("Connection: close\r\n") != std::string::npos);
  CHECK(client.heard.ends_with("}\n"));
  CHECK(client.connection->is_leaving());
}

TEST_CASE("connection: each wait for the client has an end") {
  HeldClient silent;
  silent.wait(idle_timeout);
  CHECK(silent.connection->finished());
  CHECK(silent.heard.empty());

  HeldClient slow_head;
  slow_head.say("GET /healthz HTTP/1.1\r\n");
  for (int i = 0; i < 40; ++i) {
    slow_head.wait(1s);
    slow_head.say(i < 29 ? "X: y\r\n" : "");
  }
  CHECK(slow_head.heard.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  CHECK(slow_head.connection->finished());

  HeldClient slow_body;
  slow_body.say("POST /v1/inject HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
  slow_body.wait(idle_timeout);
  CHECK(slow_body.heard.starts_with("HTTP/1.1 408 Request Timeout\r\n"));

  HeldClient slow_reader;
  slow_reader.connection->received(get("/healthz"), slow_reader.now);
  REQUIRE_FALSE(slow_reader.connection->collect(slow_reader.now).empty());
  slow_reader.now += idle_timeout;
  REQUIRE(slow_reader.connection->due() <= slow_reader.now);
  slow_reader.connection->go_on(slow_reader.now);
  CHECK(slow_reader.connection->is_hopeless());
}

TEST_CASE("connection: a body of one job has ten minutes in all") {
  HeldClient client;
  client.say("POST /v1/inject HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  for (int i = 0; i < 13; ++i) {
    client.wait(50s);
    client.say(client.heard.empty() ? " " : "");
  }
  CHECK(client.heard.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST_CASE("connection: nobody is timed while a provider is waited for") {
  HeldClient client;
  client.say(post("/v1/jobs", job("a")));
  client.wait(std::chrono::hours(5));
  CHECK_FALSE(client.connection->finished());
  client.decide(Status::accepted);
  CHECK(client.heard.ends_with("0\r\n\r\n"));
}

TEST_CASE("connection: behind an outcome that took long a client has its time again") {
  HeldClient client;
  client.say("POST /v1/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string line = job("a") + "\n";
  const std::string chunk = fmt::format("{:x}\r\n{}\r\n", line.size(), line);
  client.say(chunk);
  client.wait(std::chrono::hours(1));
  client.decide(Status::accepted);
  client.wait(50s);
  client.say(chunk);
  REQUIRE(client.taker.size() == 1);
  client.decide(Status::accepted);
  client.wait(idle_timeout);
  CHECK(client.heard.find("the rest of the body did not come in time; nothing more was taken from "
                          "line 3 on") != std::string::npos);
}

TEST_CASE("connection: when the program ends, streams are told, and nobody begins another") {
  HeldClient client;
  client.say("POST /v1/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string line = job("a") + "\n";
  client.say(fmt::format("{:x}\r\n{}\r\n", line.size(), line));
  client.connection->end_soon(client.now);
  client.pump();
  CHECK(client.connection->is_busy());
  client.decide(Status::accepted);
  CHECK(client.heard.find("takes no more jobs; nothing more was taken from line 2 on") !=
        std::string::npos);
  CHECK_FALSE(client.connection->is_busy());

  HeldClient whole;
  whole.say(post("/v1/inject", job("a")));
  whole.connection->end_soon(whole.now);
  whole.decide(Status::accepted);
  CHECK(whole.heard.starts_with("HTTP/1.1 200 OK\r\n"));
  whole.say(post("/v1/inject", job("b")));
  CHECK(whole.heard.find("HTTP/1.1 503 ") != std::string::npos);
  CHECK(whole.taker.size() == 0);
}

TEST_CASE("connection: a stream of jobs stays open as long as something comes") {
  HeldClient client;
  client.say("POST /v1/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 30; ++i) {
    client.wait(50s);
    client.say("1\r\n\n\r\n");
  }
  CHECK(client.heard.empty());
  client.wait(idle_timeout);
  CHECK(client.heard.starts_with("HTTP/1.1 408 "));
}

TEST_CASE("connection: a client that ends its half has what it asked for") {
  HeldClient client;
  client.say(post("/v1/inject", job("a")));
  client.end();
  CHECK_FALSE(client.connection->finished());
  client.heard.clear();
  client.decide(Status::accepted);
  CHECK(client.heard.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(client.connection->finished());
}

TEST_CASE("connection: a client that has said all is asked whether it listens, a few times") {
  HeldClient one;
  one.say(post("/v1/inject", job("a")));
  one.end();
  CHECK(one.heard == interim_answer);
  for (int minutes = 0; minutes < 20; ++minutes) {
    one.wait(1min);
  }
  REQUIRE(one.heard.size() == probes_max * interim_answer.size());
  one.decide(Status::accepted);
  CHECK(one.heard.substr(probes_max * interim_answer.size()).starts_with("HTTP/1.1 200 OK\r\n"));

  HeldClient many;
  many.say(post("/v1/jobs", job("a") + "\n" + job("b") + "\n"));
  many.end();
  CHECK(many.heard.ends_with("\r\n\r\n0"));
  many.wait(1s);
  many.decide(Status::accepted);
  many.decide(Status::accepted);
  const std::string body = many.heard.substr(many.heard.find("\r\n\r\n") + 4);
  const std::size_t size = std::stoul(body, nullptr, 16);  // zeros in front of it count nothing
  CHECK(body.starts_with("00"));
  const std::string line = body.substr(body.find("\r\n") + 2, size);
  CHECK(line.starts_with(R"({"id":"a")"));
  CHECK(line.ends_with("}\n"));
  CHECK(many.heard.ends_with("0\r\n\r\n"));

  HeldClient old;
  old.say("POST /v1/inject HTTP/1.0\r\nContent-Length: " + std::to_string(job("a").size()) +
          "\r\n\r\n" + job("a"));
  old.end();
  CHECK(old.heard.empty());
}

TEST_CASE("connection: who is gone has his messages taken back, and who was answered has not") {
  for (const std::string_view path : {"/v1/inject", "/v1/jobs"}) {
    HeldClient gone;
    gone.say(post(path, job("a")));
    REQUIRE(gone.taker.size() == 1);
    CHECK_FALSE(gone.taker.message(0).is_cancelled());
    gone.connection.reset();
    CHECK(gone.taker.message(0).is_cancelled());

    HeldClient answered;
    answered.say(post(path, job("a")));
    const auto cancellation = answered.taker.message(0).cancellation;
    answered.decide(Status::accepted);
    answered.connection.reset();
    CHECK_FALSE(cancellation->is_cancelled());
  }
}

TEST_CASE("connection: an end within a body is told, and what was whole before it goes on") {
  HeldClient client;
  client.say("POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + job("a") +
             "\n{");
  client.end();
  REQUIRE(client.taker.size() == 1);
  client.decide(Status::accepted);
  CHECK(client.heard.find("ended within its body; nothing more was taken from line 2 on") !=
        std::string::npos);
  CHECK(client.connection->finished());
}

TEST_CASE("connection: an answer to an error does not wait for the rest of the body") {
  HeldClient client;
  client.say("POST /v1/none HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc");
  CHECK(client.heard.starts_with("HTTP/1.1 404 Not Found\r\n"));
  CHECK(client.connection->is_leaving());
  client.say(std::string(100'000, 'x'));
  client.wait(linger_timeout);
  CHECK(client.connection->finished());
}

TEST_CASE("connection: one too many is told so") {
  HeldClient client;
  client.connection->turn_away(client.now);
  client.pump();
  CHECK(client.heard.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK(client.heard.find("Retry-After: 5\r\n") != std::string::npos);
}

TEST_CASE("connection: nothing can be stored where there is no spool") {
  HeldClient client;
  client.say(post("/v1/jobs?wait=accepted", job("a")));
  CHECK(client.heard.starts_with("HTTP/1.1 501 Not Implemented\r\n"));
  CHECK(client.taker.size() == 0);
}

}  // namespace ringpost::http
