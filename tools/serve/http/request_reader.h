// HTTP/1.1 requests out of octets, one behind the other, without a socket.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <ringpost/base.h>

namespace ringpost::http {

enum class Method : std::uint8_t { get, head, post, other };

// What stands in front of a body.
struct RequestHead {
  Method method = Method::other;
  std::string method_word;  // as it came
  std::string path;         // "/v1/jobs", as it came
  std::string query;        // behind the question mark
  std::string authorization;
  std::string content_type;
  std::string content_encoding;
  bool has_origin = false;  // a browser sends it for a page
  bool is_http_1_0 = false;
  bool keeps_alive = true;
  bool expects_continue = false;
  std::optional<std::uint64_t> content_length;
  bool is_chunked = false;

  [[nodiscard]] bool has_body() const { return is_chunked || content_length.value_or(0) > 0; }
};

// Why octets are no request that is served here. `status_code` is HTTP's.
struct RequestError {
  int status_code = 400;
  std::string error;  // a clause
  std::string hint;   // what to do about it
};

// Any split of the same octets gives the same events; only the parts of a body are cut otherwise.
// After an error nothing more can be read of the stream. Memory: a head.
class RequestReader {
 public:
  enum class Event : std::uint8_t {
    need_more,  // octets that were not taken come again, with more behind them
    head,       // head() is complete
    body,       // body() has some octets of it
    end,        // of the request; what follows begins the next one
    error,
  };

  RequestReader();
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Takes what it understands off the front of `input`; body() is a part of it. An error, too, is
  // that a head of a chunk has not ended within `read_bytes`.
  [[nodiscard]] Event next(Bytes& input);
  // No octet follows. True: it was within a request.
  [[nodiscard]] bool is_within_request() const;

  // Valid from its event to the end of the request.
  [[nodiscard]] const RequestHead& head() const;
  // Of the last event; valid until the next call.
  [[nodiscard]] Bytes body() const;
  [[nodiscard]] const RequestError& error() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace ringpost::http
