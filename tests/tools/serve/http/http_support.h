// What tests of HTTP need: somebody who takes messages and tells outcomes when he is told to, and a
// client without a socket.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "tools/serve/http/http_connection.h"

namespace ringpost::http {

// Holds what it took until decide() or decide_all().
class HeldTaker : public MessageTaker {
 public:
  Taken take(Message& message, const Completion& done) override {
    return hold(message, done, Outcome());
  }
  Taken refuse(Message& message, std::string_view reason, const Completion& done) override {
    Outcome outcome;
    outcome.status = Status::invalid;
    outcome.reason = reason;
    return hold(message, done, outcome);
  }

  bool can_store() const override { return has_spool; }
  // What asks for the endpoint "none" can never be sent.
  Storing store(Message& message, const StoreCompletion& done) override {
    if (message.endpoint == "none") {
      return {Taken::yes, "there is no such endpoint"};
    }
    if (storing_.size() >= most) {
      return {Taken::full, {}};
    }
    storing_.push_back(done);
    return {Taken::yes, {}};
  }
  // What becomes of the first that is to be stored.
  void end_storing(Stored stored) {
    const StoreCompletion done = std::move(storing_.front());
    storing_.pop_front();
    done(stored);
  }
  void cancel(Cancellation& cancellation) override { cancellation.cancel(); }

  // What becomes of the oldest one; of what was refused, nothing else can.
  void decide(Status status, std::uint16_t code = 0, std::string text = {}) {
    Held held = std::move(held_.front());
    held_.pop_front();
    if (held.outcome.status != Status::invalid) {
      held.outcome.status = status;
      held.outcome.code = code;
      held.outcome.text = std::move(text);
    }
    const std::vector<Outcome> outcomes(held.message.recipients.size(), held.outcome);
    held.done(held.message, outcomes);
  }
  void decide_all(Status status) {
    while (!held_.empty()) {
      decide(status);
    }
  }

  [[nodiscard]] std::size_t size() const { return held_.size(); }
  [[nodiscard]] const Message& message(std::size_t index) const { return held_[index].message; }

  std::size_t most = SIZE_MAX;
  bool is_closed = false;
  bool has_spool = false;

 private:
  struct Held {
    Message message;
    Completion done;
    Outcome outcome;
  };

  Taken hold(Message& message, const Completion& done, const Outcome& outcome) {
    if (is_closed) {
      return Taken::closed;
    }
    if (held_.size() >= most) {
      return Taken::full;
    }
    if (message.recipients.empty()) {
      message.recipients.add("");
    }
    held_.push_back({std::exchange(message, Message()), done, outcome});
    return Taken::yes;
  }

  std::deque<Held> held_;
  std::deque<StoreCompletion> storing_;
};

// A connection with all that it needs, and what it said.
struct HeldClient {
  explicit HeldClient(std::string token = {}) : token_(std::move(token)) {
    setup.exchange.taker = &taker;
    setup.exchange.budget = &budget;
    setup.exchange.endpoint_names = names;
    setup.exchange.unix_time_us = [] { return std::int64_t{1'800'000'000'000'000}; };
    setup.view.stats = [] { return std::string("{\"figures\":1}\n"); };
    setup.view.metrics = [] { return std::string("ringpost_up 1\n"); };
    setup.view.not_ready = [this] { return not_ready; };
    connection.emplace(
        setup, access, [this] { ++rings; }, now);
  }

  // As the server does, in parts of so many octets.
  void say(std::string octets, std::size_t part = read_bytes) {
    while (!octets.empty()) {
      pump();
      if (!connection->wants_input()) {
        unsaid += octets;
        return;
      }
      connection->received(octets.substr(0, part), now);
      octets.erase(0, part);
    }
    pump();
  }
  // What stayed unsaid since nobody would read it.
  void go_on_saying() { say(std::exchange(unsaid, {})); }
  void end() {
    connection->peer_ended(now);
    pump();
  }
  void pump() {
    for (int i = 0; i < 10'000; ++i) {
      std::string octets = connection->collect(now);
      if (!octets.empty()) {
        heard += octets;
        connection->sent(true, now);
      } else if (connection->due() <= now || rings > 0) {
        rings = 0;
        connection->go_on(now);
      } else {
        return;
      }
    }
    RP_ASSERT(false);  // it never comes to rest
  }
  void wait(Duration duration) {
    now += duration;
    pump();
  }
  void decide(Status status, std::uint16_t code = 0, std::string text = {}) {
    taker.decide(status, code, std::move(text));
    pump();
  }

  void end_storing(MessageTaker::Stored stored) {
    taker.end_storing(stored);
    pump();
  }

  HeldTaker taker;
  ByteBudget budget;
  std::vector<std::string> names{"relay"};
  HttpSetup setup;
  std::optional<std::string> not_ready;
  int rings = 0;
  Instant now = Instant() + std::chrono::hours(1);
  std::string heard;
  std::string unsaid;

 private:
  const std::string token_;

 public:
  const Access access{token_};
  std::optional<HttpConnection> connection;
};

inline std::string post(std::string_view path, std::string_view body,
                        std::string_view fields = {}) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{}\r\n{}", path,
                     body.size(), fields, body);
}

inline std::string get(std::string_view path, std::string_view fields = {}) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", path, fields);
}

inline std::string job(std::string_view id, std::string_view to = "ann@example.net") {
  return fmt::format(
      R"({{"id":"{}","from":"news@example.com","to":"{}","subject":"Hello","text":"Hi"}})", id, to);
}

}  // namespace ringpost::http
