#include "tools/serve/http/request_reader.h"

#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "tools/serve/http/http_limits.h"

namespace ringpost::http {

namespace {

// What a stream says, whatever pieces it comes in: bodies of one request stand together.
std::vector<std::string> events_of(const std::string& stream, std::size_t part) {
  RequestReader reader;
  std::vector<std::string> events;
  std::string held;
  std::string body;
  for (std::size_t at = 0; at < stream.size(); at += part) {
    held += stream.substr(at, part);
    Bytes input = held;
    RequestReader::Event event = reader.next(input);
    for (; event != RequestReader::Event::need_more; event = reader.next(input)) {
      if (event == RequestReader::Event::head) {
        const RequestHead& head = reader.head();
        events.push_back(fmt::format("{} {} {}", head.method_word, head.path, head.query));
      } else if (event == RequestReader::Event::body) {
        body += reader.body();
      } else if (event == RequestReader::Event::end) {
        events.push_back("end " + std::exchange(body, {}));
      } else {
        events.push_back(fmt::format("{} {}", reader.error().status_code, reader.error().error));
        CHECK_FALSE(reader.error().hint.empty());
        return events;
      }
    }
    held = std::string(input);
  }
  if (reader.is_within_request()) {
    events.push_back("within " + body);
  }
  return events;
}

std::vector<std::string> events_of(const std::string& stream) {
  const std::vector<std::string> events = events_of(stream, stream.size());
  for (const std::size_t part : {1U, 2U, 3U, 7U, 64U}) {
    CAPTURE(part);
    CHECK(events_of(stream, part) == events);
  }
  return events;
}

int status_of_stream(const std::string& stream) {
  const std::vector<std::string> events = events_of(stream);
  const std::string& last = events.back();
  return last.size() > 4 && last[3] == ' ' && last[0] >= '4' && last[0] <= '9' ? std::stoi(last)
                                                                               : 0;
}

std::string with(std::string_view fields, std::string_view body = {}) {
  return fmt::format("POST /v1/jobs HTTP/1.1\r\nHost: a\r\n{}\r\n{}", fields, body);
}

}  // namespace

TEST_CASE("request reader: requests are the same however their octets are cut") {
  const std::string stream =
      "\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" + with("Content-Length: 5\r\n", "hello") +
      "POST /v1/inject?dialect=ses HTTP/1.1\r\nhost: a\r\ntransfer-encoding: Chunked\r\n\r\n"
      "4;name=value\r\nab\r\n\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n"
      "GET http://localhost:1/healthz HTTP/1.0\r\n\r\n";
  CHECK(events_of(stream) == std::vector<std::string>{"GET /metrics ", "end ", "POST /v1/jobs ",
                                                      "end hello", "POST /v1/inject dialect=ses",
                                                      "end ab\r\n0123456789abcdef", "GET /healthz ",
                                                      "end "});
}

TEST_CASE("request reader: what two readers may cut differently is refused") {
  CHECK(status_of_stream(with("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")) == 400);
  CHECK(status_of_stream(with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")) == 400);
  CHECK(status_of_stream(with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")) == 400);
  CHECK(status_of_stream(with("Content-Length: -1\r\n")) == 400);
  CHECK(status_of_stream(with("Content-Length: 5, 6\r\n", "hello")) == 400);
  CHECK(status_of_stream(with("Content-Length: 5x\r\n", "hello")) == 400);
  CHECK(status_of_stream(with("Content-Length: 99999999999999999999\r\n")) == 400);
  // Beast reads these as requests without a body.
  CHECK(status_of_stream(with("Transfer-Encoding: identity\r\n")) == 501);
  CHECK(status_of_stream(with("Transfer-Encoding: gzip\r\n")) == 501);
  CHECK(status_of_stream(with("Transfer-Encoding: chunked, gzip\r\n")) == 501);
  CHECK(status_of_stream(with("Transfer-Encoding: gzip, chunked\r\n")) == 501);
  CHECK(status_of_stream(with("Transfer-Encoding: xchunked\r\n")) == 501);
  CHECK(status_of_stream(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n")) >= 400);
  CHECK(status_of_stream("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(status_of_stream("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of_stream("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
  CHECK(status_of_stream("GET / HTTP/1.1\r\nHost : a\r\n\r\n") == 400);
  CHECK(status_of_stream("GET / HTTP/1.1\nHost: a\n\n") >= 400);
}

TEST_CASE("request reader: octets that are no request of HTTP/1 are refused") {
  CHECK(status_of_stream("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505);
  CHECK(status_of_stream("EHLO localhost\r\n\r\n") >= 400);
  CHECK(status_of_stream(std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28)) == 400);
  CHECK(status_of_stream("\x16\x03\x01\x02\x01\x01\xfc\x03\x03") == 400);
}

TEST_CASE("request reader: a chunk has a length, and its octets an end") {
  const std::string head = with("Transfer-Encoding: chunked\r\n");
  for (const std::string_view body :
       {"xyz\r\n", "-1\r\n", "ffffffffffffffffff\r\n", "2\r\nabc\r\n0\r\n\r\n"}) {
    CAPTURE(body);
    CHECK(status_of_stream(head + std::string(body)) == 400);
  }
  CHECK(events_of(head + "3\r\nabc\r\n").back() == "within abc");
}

TEST_CASE("request reader: heads, and heads of chunks, have a bound") {
  const std::string field(head_bytes_max, 'a');
  CHECK(status_of_stream(with("X: " + field + "\r\n")) == 431);
  CHECK(status_of_stream("GET /" + field + " HTTP/1.1\r\n") == 431);
  const std::string chunked = with("Transfer-Encoding: chunked\r\n");
  CHECK(events_of(chunked + "1;x=" + std::string(read_bytes, 'a'), 512).back().starts_with("400"));
  CHECK(events_of(chunked + "0\r\nX: " + std::string(read_bytes, 'a'), 512).back()[0] == '4');
}

}  // namespace ringpost::http
