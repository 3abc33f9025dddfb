// POST /v1/jobs: job lines in, outcome lines out, both at the same time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tools/serve/http/exchange.h"
#include "tools/serve/http/job_lines.h"
#include "tools/serve/http/outcome_mailbox.h"
#include <ringpost/message.h>

namespace ringpost::http {

class JobsExchange : public Exchange {
 public:
  JobsExchange(const ExchangeSetup& setup, ExchangeTerms terms);
  ~JobsExchange() override;

  void take(Bytes& body, Instant now) override;
  void end_body(Instant now) override;
  void break_off(const RequestError& error) override;
  void go_on(Instant now) override;
  void collect(std::string& out) override;
  [[nodiscard]] bool can_take() const override;
  [[nodiscard]] Instant due() const override;
  [[nodiscard]] bool is_over() const override { return is_over_; }
  [[nodiscard]] bool ends_connection() const override {
    return trouble_.has_value() || terms_.form.is_http_1_0;
  }
  [[nodiscard]] bool waits_for_outcomes() const override { return messages_in_flight_ > 0; }
  [[nodiscard]] Bytes probe() const override;

 private:
  void hand_over(Instant now);
  [[nodiscard]] bool hand_over_next(Instant now);
  [[nodiscard]] bool offer(Instant now);
  [[nodiscard]] Taken hand_in();
  void fail(RequestError error);
  void take_mail();
  void begin_answer(std::string& out);
  [[nodiscard]] std::string last_lines() const;
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool is_done() const;
  void collect_stored(std::string& out);
  [[nodiscard]] std::string stored_body();

  const ExchangeSetup& setup_;
  const ExchangeTerms terms_;
  JobLines lines_;
  std::shared_ptr<OutcomeMailbox> mailbox_;
  MessageTaker::Completion slot_;
  // Of all messages of the request.
  const std::shared_ptr<Cancellation> cancellation_ =
      std::make_shared<Cancellation>(std::string(client_gone_reason));
  Message message_;  // at hand, where there was no room for it
  bool has_message_ = false;
  bool is_refused_ = false;  // it is none
  std::uint64_t messages_taken_ = 0;
  std::size_t messages_in_flight_ = 0;
  std::size_t lines_left_now_ = 0;  // of this turn
  Instant no_room_since_ = never;
  Instant look_again_at_ = never;
  bool body_ended_ = false;
  std::optional<RequestError> trouble_;  // no more jobs are taken
  std::uint64_t left_out_ = 0;
  StoredCounts stored_;
  std::uint64_t invalid_ = 0;
  bool is_begun_ = false;  // the answer
  bool is_over_ = false;
};

}  // namespace ringpost::http
