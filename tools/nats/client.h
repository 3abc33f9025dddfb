// A connection to a NATS cluster, and the two things that are done with it: questions, many at a
// time, and pulling messages of a consumer.
//
//   auto client = nats::Client::connect({.url = "nats://127.0.0.1:4222"});
//   auto answers = (*client)->ask({{.subject = "$JS.API.INFO"}}, std::chrono::seconds(2));
//
// All that JetStream does is asked for by its published subjects (`$JS.API...`, `$JS.ACK...`),
// whose bodies are JSON, so that what is asked does not depend on a library's release.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::nats {

struct ClientOptions {
  std::string url;               // one or several, with commas between them
  std::string user;              // empty: none
  std::string password;          // of that user
  std::string credentials_file;  // of `nsc`; empty: none
  std::string ca_file;           // the servers' CA; with it, or tls:// in the URL, TLS is a must
};

struct Request {
  std::string subject;
  std::string payload = {};
  std::string message_id = {};  // Nats-Msg-Id; empty: none
};

// A message of a consumer, with what its acknowledgement needs.
struct Pulled {
  std::string payload;
  std::string reply;  // where its acknowledgement goes
  std::uint64_t sequence = 0;
  std::uint64_t deliveries = 0;  // how often it was handed out, this time included
  std::int64_t stored_us = 0;    // Unix time at which the stream took it
};

// Whether this program was built with libnats.
[[nodiscard]] bool is_built_in();

// Thread-safe. Goes on by itself when a server goes away, with another one of the cluster.
class Client {
 public:
  // Waits for the first connection. The error is a sentence that names the URL without what stands
  // in front of an @.
  [[nodiscard]] static Result<std::unique_ptr<Client>, std::string> connect(
      const ClientOptions& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends all of them, and waits until each has its answer or the time is over. An answer for each,
  // in their order; nothing: none came, or nobody listens there.
  [[nodiscard]] std::vector<std::optional<std::string>> ask(std::span<const Request> requests,
                                                            Duration timeout);
  [[nodiscard]] std::optional<std::string> ask(const Request& request, Duration timeout);
  // Sends without waiting for anybody. What cannot be sent is lost.
  void tell(std::span<const Request> requests);

  [[nodiscard]] bool is_connected() const;
  // "127.0.0.1:4222" of the server that it is connected to, or was at first.
  [[nodiscard]] std::string place() const;
  // How often another connection took the place of one that was lost.
  [[nodiscard]] std::uint64_t reconnects() const;

  // Pulls of one consumer, by one thread. Its client outlives it.
  class Puller {
   public:
    ~Puller();
    Puller(Puller&&) noexcept;
    Puller& operator=(Puller&&) = delete;

    // Up to so many messages as soon as there are any, or none when the time is over. One that was
    // on its way when an earlier pull gave up is among them, so there may be more than were asked
    // for. The error is a clause.
    [[nodiscard]] Result<std::vector<Pulled>, std::string> pull(std::size_t count,
                                                                Duration timeout);

   private:
    friend class Client;
    struct State;
    explicit Puller(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };
  [[nodiscard]] Result<Puller, std::string> puller(const std::string& stream,
                                                   const std::string& consumer);

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// "nats://127.0.0.1:4222" of a URL that has a user in it, too.
[[nodiscard]] std::string without_secret(Bytes url);

}  // namespace ringpost::nats
