// The HTTP front end: listeners, and one thread for all their clients.
//
//   ringpost::http::HttpServerOptions options;
//   options.listeners.push_back({"127.0.0.1:8025", token});
//   auto server = ringpost::http::HttpServer::start(std::move(options));
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codec/job/job_reader.h"
#include "tools/serve/http/message_taker.h"
#include "tools/serve/http/service_view.h"
#include <ringpost/base.h>

namespace ringpost::http {

struct HttpListenerOptions {
  std::string address;  // "127.0.0.1:8025", "[::1]:8025" or "unix:/run/ringpost/http"
  std::string token;    // empty: none is asked for
};

struct HttpServerOptions {
  std::vector<HttpListenerOptions> listeners;
  MessageTaker* taker = nullptr;                // outlives the server
  std::span<const std::string> endpoint_names;  // which outlive it
  codec::JobReaderOptions reader;
  ServiceView view;
  Duration answer_within{};         // see ExchangeSetup
  std::size_t connections_max = 0;  // 0: http_limits.h; a test has few
};

// Counts since the start.
struct HttpCounts {
  std::uint64_t connections = 0;  // now
  std::uint64_t busy = 0;         // of these: with an answer that is still to come or to leave
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_turned_away = 0;
};

// Lifetime: whoever calls completions of the taker has stopped doing so before the destructor.
// Thread: start(), stop() and the destructor are one thread's, the others any's.
class HttpServer {
 public:
  // Returns when every listener takes connections. The error is a sentence: an address that is not
  // on loopback, or is in use.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>, std::string> start(
      HttpServerOptions options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "127.0.0.1:8025", with the real port, in the order of the options.
  [[nodiscard]] const std::vector<std::string>& addresses() const;
  [[nodiscard]] HttpCounts counts() const;

  // Of the listener with this number, for requests from now on; not empty where it was not before.
  void change_token(std::size_t listener, std::string token);
  // For a watchdog, on one thread: asks the thread that serves to turn, and says whether it has
  // since it was asked last; true at the first call.
  [[nodiscard]] bool take_pulse();
  // No more connections and no more jobs, and the end of those that ask for nothing.
  void stop_listening();
  // The end of all others, when none is busy, or after so long. Once.
  void stop(Duration at_most);

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Whether a listener may have that address, and what is wrong with it.
[[nodiscard]] Result<void, std::string> check_http_address(Bytes address);

}  // namespace ringpost::http
