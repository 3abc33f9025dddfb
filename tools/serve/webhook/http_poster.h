// Requests by HTTP, several at a time, on the caller's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/serve/webhook/webhook.h"
#include <ringpost/base.h>

namespace ringpost::serve {

struct PostRequest {
  std::string url;
  std::vector<std::string> fields;  // "webhook-id: msg_1", without line ends
  std::string body;
  std::string username;  // of Basic authentication; empty: none
  std::string password;
  std::string ca_file;  // empty: the system's
  Duration timeout{};
  bool is_on_loopback = false;  // no proxy leads there
};

// By libcurl, which is loaded when the first of these is made: no other command pays for its forty
// libraries. TLS peers are verified, redirects are not followed. Thread: one, but for wake().
class HttpPoster {
 public:
  using Answered = std::function<void(const WebhookAnswer&)>;

  // The error is a sentence: there is no libcurl here.
  [[nodiscard]] static Result<std::unique_ptr<HttpPoster>, std::string> open();
  HttpPoster() = default;
  HttpPoster(const HttpPoster&) = delete;
  HttpPoster& operator=(const HttpPoster&) = delete;
  virtual ~HttpPoster() = default;

  // `answered` is called once within a later call of wait(), unless cancel_all() comes first.
  virtual void post(PostRequest request, Answered answered) = 0;
  // Works on requests, until there is something to do for the caller: answers, a wake(), or the end
  // of this time.
  virtual void wait(Duration at_most) = 0;
  virtual void wake() = 0;
  // Requests under way end here, and nobody is told.
  virtual void cancel_all() = 0;
};

}  // namespace ringpost::serve
