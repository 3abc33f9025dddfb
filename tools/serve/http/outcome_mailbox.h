// Outcomes on their way from the threads that tell them to the one that serves clients.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "codec/job/outcome_writer.h"
#include "tools/serve/http/byte_budget.h"
#include "tools/serve/http/message_taker.h"
#include <ringpost/base.h>

namespace ringpost::http {

// A recipient that was not accepted, for answers that name those.
struct FailedRecipient {
  std::string address;
  std::string words;  // "550 5.1.1 no such user", or the reason
};

// What came since the last look, but for lines and names.
struct Mail {
  std::size_t messages = 0;  // that are over
  std::array<std::uint64_t, status_count> by_status{};
  std::uint64_t left_out = 0;  // outcomes without a line, since the budget had no room for it
};

struct OutcomeMailboxOptions {
  std::span<const std::string> endpoint_names;  // outlive it, and so does the budget
  bool keeps_failed = false;
  std::function<void()> ring;  // whoever takes should come; on any thread
};

// One for each request, held by whoever still has to tell. Thread-safe.
class OutcomeMailbox {
 public:
  OutcomeMailbox(OutcomeMailboxOptions options, ByteBudget& budget);

  // A function that puts outcomes in here, as long as it is kept.
  [[nodiscard]] static MessageTaker::Completion slot_of(
      const std::shared_ptr<OutcomeMailbox>& mailbox);
  [[nodiscard]] Mail take();
  // Outcome lines, at most so many octets of them; they are out of the budget then.
  [[nodiscard]] std::string take_lines(std::size_t bytes_max);
  [[nodiscard]] std::size_t line_bytes();
  // Where they are asked for.
  [[nodiscard]] std::vector<FailedRecipient> take_failed();
  // Nobody takes any more, and nobody is rung for.
  void close();

 private:
  void put(const Message& message, std::span<const Outcome> outcomes);
  void put_line(const Message& message, std::size_t recipient, const Outcome& outcome);

  std::mutex mutex_;  // guards all below
  OutcomeMailboxOptions options_;
  codec::OutcomeWriter writer_;
  BudgetShare share_;
  std::string lines_;
  std::size_t lines_begin_ = 0;  // those in front of it were taken
  std::vector<FailedRecipient> failed_;
  std::size_t failed_bytes_ = 0;
  Mail mail_;
  bool is_rung_ = false;  // and not taken since
  bool is_closed_ = false;
};

}  // namespace ringpost::http
