// A request with a body and what is answered to it, without a connection.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codec/dialect/dialect.h"
#include "codec/job/job_reader.h"
#include "tools/serve/http/answer.h"
#include "tools/serve/http/byte_budget.h"
#include "tools/serve/http/message_taker.h"
#include <ringpost/base.h>

namespace ringpost::http {

// What all exchanges share. Everything pointed to outlives them, and the mailboxes that they leave
// with messages under way.
struct ExchangeSetup {
  MessageTaker* taker = nullptr;
  ByteBudget* budget = nullptr;
  std::span<const std::string> endpoint_names;
  codec::JobReaderOptions reader;
  std::function<std::int64_t()> unix_time_us;
  Duration answer_within{};  // of a request that is one job; zero: as long as it takes
};

// Where nothing of an answer has left, whoever speaks HTTP/1.1 passes it over (RFC 9110 15.2).
inline constexpr Bytes interim_answer = "HTTP/1.1 102 Processing\r\n\r\n";

// Of Message::cancellation.
inline constexpr std::string_view client_gone_reason =
    "its client had gone before a session had it";

// Of one of them.
struct ExchangeTerms {
  std::optional<codec::Dialect> dialect;
  AnswerForm form;
  std::function<void()> ring;      // outcomes are there: go_on(). On any thread
  bool waits_for_storage = false;  // and not for outcomes
};

// Driven like this: take() as octets of the body come, end_body() behind them, go_on() when it was
// rung for, when there may be room and at due(); after each of them collect() what may leave. Until
// can_take() holds again no octets come. A client that is gone ends it by its destruction: messages
// that no session has are not sent, the others go on, and the outcomes of both are told to whoever
// else hears of them.
class Exchange {
 public:
  virtual ~Exchange() = default;

  // Takes what it can off the front.
  virtual void take(Bytes& body, Instant now) = 0;
  virtual void end_body(Instant now) = 0;
  // The rest of the body will not come, and this is what the client is told.
  virtual void break_off(const RequestError& error) = 0;
  virtual void go_on(Instant now) = 0;
  // Puts octets of the answer behind those in `out`.
  virtual void collect(std::string& out) = 0;

  // Whether it has room for octets of the body.
  [[nodiscard]] virtual bool can_take() const = 0;
  // When to call go_on() though nothing came; never.
  [[nodiscard]] virtual Instant due() const = 0;
  // All of the answer was collected.
  [[nodiscard]] virtual bool is_over() const = 0;
  // The answer says so, or leaves octets of the body unread: no request follows.
  [[nodiscard]] virtual bool ends_connection() const = 0;
  // Outcomes have to come before anything else can: nobody's silence is the client's fault.
  [[nodiscard]] virtual bool waits_for_outcomes() const = 0;
  // Octets that leave the answer as it is, for a client that may have gone, which a write finds out
  // and a read does not; empty: there are none now.
  [[nodiscard]] virtual Bytes probe() const = 0;
};

}  // namespace ringpost::http
