// One client: requests, routes and exchanges put together, without a socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tools/serve/http/exchange.h"
#include "tools/serve/http/request_reader.h"
#include "tools/serve/http/route_table.h"
#include "tools/serve/http/service_view.h"
#include <ringpost/base.h>

namespace ringpost::http {

struct HttpSetup {
  ExchangeSetup exchange;
  ServiceView view;
};

// Driven like this: received() and peer_ended() as octets come, while wants_input(); go_on() when
// it has rung, at due(), and when octets have been sent; after each of them collect() what may
// leave, and when finished(), close the socket once that has been sent. Thread: that of all
// connections, but for `ring`.
class HttpConnection {
 public:
  // `ring` is called on any thread, and not behind the destructor. All of them outlive it.
  HttpConnection(const HttpSetup& setup, const Access& access, std::function<void()> ring,
                 Instant now);

  // At most `read_bytes`.
  void received(Bytes octets, Instant now);
  void peer_ended(Instant now);
  void go_on(Instant now);
  // In the place of all else.
  void turn_away(Instant now);
  // The program ends: no more jobs are taken, and answers go on.
  void end_soon(Instant now);
  // All that collect() gave has been sent, or some of it.
  void sent(bool all, Instant now);

  // Octets that may leave; not again before these have all been sent.
  [[nodiscard]] std::string collect(Instant now);
  [[nodiscard]] bool wants_input() const;
  [[nodiscard]] Instant due() const;
  // Everything has been collected, and nothing more comes.
  [[nodiscard]] bool finished() const { return state_ == State::over && output_.empty(); }
  // The client's octets are thrown away: it may hear that nothing follows ours.
  [[nodiscard]] bool is_leaving() const { return state_ == State::farewell; }
  // Between two requests, with nothing to say.
  [[nodiscard]] bool is_idle() const {
    return state_ == State::idle && output_.empty() && !is_sending_;
  }
  // Somebody has an answer to come, or has not got all of it.
  [[nodiscard]] bool is_busy() const {
    return exchange_ != nullptr || !output_.empty() || is_sending_;
  }
  // Nothing that could still be sent is worth waiting for.
  [[nodiscard]] bool is_hopeless() const { return is_hopeless_; }

 private:
  enum class State : std::uint8_t {
    idle,      // between two requests
    head,      // within one's head
    body,      // an exchange takes it
    answer,    // the body has ended, or is not wanted, and the exchange goes on
    farewell,  // what still comes is thrown away
    over,
  };

  void run(Instant now);
  [[nodiscard]] bool step(Instant now);
  [[nodiscard]] bool read_event(Instant now);
  void begin_request(Instant now);
  void serve(const Route& route, Instant now);
  void answer(const Answer& answer, Instant now);
  void refuse(const RequestError& error, Instant now);
  void run_exchange(Instant now);
  void end_exchange(Instant now);
  void bid_farewell(Instant now);
  void act_on_time(Instant now);
  void end_with_peer();
  void probe(Instant now);
  [[nodiscard]] Instant client_due() const;
  [[nodiscard]] AnswerForm form() const;

  const HttpSetup& setup_;
  const Access& access_;
  const std::function<void()> ring_;
  RequestReader reader_;
  State state_ = State::idle;
  std::string input_;
  Bytes unread_;     // the end of input_
  Bytes body_rest_;  // within input_: octets of the body that the exchange could not take
  std::string output_;
  std::unique_ptr<Exchange> exchange_;
  std::uint64_t body_bytes_ = 0;
  bool takes_one_job_ = false;
  bool peer_ended_ = false;
  bool is_sending_ = false;
  bool is_hopeless_ = false;
  bool ends_soon_ = false;
  Instant heard_at_;  // an octet, or that it takes one; or the end of what was asked before
  Instant sent_at_;   // while is_sending_
  Instant begun_at_;  // the head, then the body, then the farewell
  Instant probe_at_ = never;
  std::uint32_t probes_made_ = 0;
};

}  // namespace ringpost::http
