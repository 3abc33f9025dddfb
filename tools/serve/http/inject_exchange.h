// POST /v1/inject: one job in JSON, and what became of it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tools/serve/http/exchange.h"
#include "tools/serve/http/outcome_mailbox.h"
#include <ringpost/message.h>

namespace ringpost::http {

enum class InjectForm : std::uint8_t {
  outcomes,  // {"status":...,"outcomes":[...]}
  kumomta,   // success_count, fail_count, failed_recipients, errors
};

// HTTP's status for outcomes of which there are so many each. One that all recipients share
// decides, where they differ it is 207; see inject_exchange.cpp.
[[nodiscard]] int status_of(const std::array<std::uint64_t, status_count>& by_status);

class InjectExchange : public Exchange {
 public:
  InjectExchange(const ExchangeSetup& setup, ExchangeTerms terms, InjectForm form);
  ~InjectExchange() override;

  void take(Bytes& body, Instant now) override;
  void end_body(Instant now) override;
  void break_off(const RequestError& error) override;
  void go_on(Instant now) override;
  void collect(std::string& out) override;
  [[nodiscard]] bool can_take() const override { return !body_ended_ && !trouble_; }
  [[nodiscard]] Instant due() const override { return std::min(look_again_at_, answer_by_); }
  [[nodiscard]] bool is_over() const override { return is_over_; }
  [[nodiscard]] bool ends_connection() const override { return !body_ended_; }
  [[nodiscard]] bool waits_for_outcomes() const override { return messages_in_flight_ > 0; }
  [[nodiscard]] Bytes probe() const override;

 private:
  void read_body(Instant now);
  void hand_over(Instant now);
  [[nodiscard]] bool offer(Instant now);
  [[nodiscard]] Taken hand_in();
  void note(const codec::JobError& error);
  void fail(RequestError error);
  void take_mail();
  void answer_in_time(Instant now);
  [[nodiscard]] Answer answer();
  void begin_outcomes(std::string& out, const Answer& answer, const AnswerForm& form);
  void append_outcomes(std::string& out);
  [[nodiscard]] std::string kumomta_body() const;

  const ExchangeSetup& setup_;
  const ExchangeTerms terms_;
  const InjectForm form_;
  BudgetShare share_;
  std::string body_;
  codec::JobReader reader_;
  std::shared_ptr<OutcomeMailbox> mailbox_;
  MessageTaker::Completion slot_;
  // Of all messages of the request.
  const std::shared_ptr<Cancellation> cancellation_ =
      std::make_shared<Cancellation>(std::string(client_gone_reason));
  Message message_;
  bool has_message_ = false;
  std::optional<codec::JobError> refusal_;  // of the message at hand
  std::optional<codec::JobError> refused_;  // the first one
  std::uint64_t messages_taken_ = 0;
  std::size_t messages_in_flight_ = 0;
  std::size_t messages_left_now_ = 0;  // of this turn
  Instant no_room_since_ = never;
  Instant look_again_at_ = never;
  Instant answer_by_ = never;
  std::int64_t expires_at_us_ = 0;  // of messages: when nobody waits for them any more
  bool is_late_ = false;            // it was answered before all outcomes were there
  bool body_ended_ = false;
  std::optional<RequestError> trouble_;
  std::array<std::uint64_t, status_count> by_status_{};
  std::uint64_t left_out_ = 0;
  StoredCounts stored_;
  bool is_begun_ = false;  // the answer, with outcomes
  bool is_over_ = false;
};

}  // namespace ringpost::http
