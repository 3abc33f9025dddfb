// The problem: an answer has a few fields that are always the same, and a body that may come while
// the request does. The idea: text, without a library: nothing of it is a client's but what stands
// in JSON. Limits: no compression, no date, no cookies.
#include "tools/serve/http/answer.h"

#include <chrono>

#include <fmt/format.h>

#include "codec/text/json_text.h"
#include "tools/serve/http/http_limits.h"

namespace ringpost::http {

namespace {

std::string_view words_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 207:
      return "Multi-Status";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

void append_head(std::string& out, int status, Bytes content_type, const AnswerForm& form) {
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\nContent-Type: {}\r\n", status,
                 words_of(status), content_type);
  // Answers are of this moment, and what a browser makes of them is text.
  out += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  if (!form.keeps_alive) {
    out += "Connection: close\r\n";
  } else if (form.is_http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
}

}  // namespace

std::string error_json(Bytes error, Bytes hint) {
  std::string out = R"({"error":)";
  codec::append_json_string(out, error);
  out += R"(,"hint":)";
  codec::append_json_string(out, hint);
  out += "}\n";
  return out;
}

Answer error_answer(int status, Bytes error, Bytes hint) {
  Answer answer;
  answer.status_code = status;
  answer.body = error_json(error, hint);
  return answer;
}

void append_answer(std::string& out, const Answer& answer, const AnswerForm& form) {
  append_answer_head(out, answer, form, answer.body.size());
  if (form.has_body) {
    out += answer.body;
  }
}

void append_answer_head(std::string& out, const Answer& answer, const AnswerForm& form,
                        std::size_t body_bytes) {
  append_head(out, answer.status_code, answer.content_type, form);
  if (!answer.allow.empty()) {
    fmt::format_to(std::back_inserter(out), "Allow: {}\r\n", answer.allow);
  }
  if (answer.asks_again) {
    fmt::format_to(std::back_inserter(out), "Retry-After: {}\r\n", retry_after / 1s);
  }
  if (answer.asks_for_token) {
    out += "WWW-Authenticate: Bearer realm=\"ringpost\"\r\n";
  }
  fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n\r\n", body_bytes);
}

void append_stream_head(std::string& out, Bytes content_type, const AnswerForm& form) {
  append_head(out, 200, content_type, form);
  out += form.is_http_1_0 ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n";
}

void append_piece(std::string& out, Bytes octets, const AnswerForm& form) {
  if (octets.empty()) {
    return;
  }
  if (form.is_http_1_0) {
    out += octets;
    return;
  }
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", octets.size());
  out += octets;
  out += "\r\n";
}

void append_stream_end(std::string& out, const AnswerForm& form) {
  if (!form.is_http_1_0) {
    out += "0\r\n\r\n";
  }
}

void append_continue(std::string& out) { out += "HTTP/1.1 100 Continue\r\n\r\n"; }

}  // namespace ringpost::http
