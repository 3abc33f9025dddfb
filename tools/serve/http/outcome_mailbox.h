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

// Of messages that were to be stored.
struct StoredCounts {
  std::uint64_t stored = 0;
  std::uint64_t refused = 0;
  bool lacked_room = false;  // those that were refused, or the disk has failed

  void add(const StoredCounts& more) {
    stored += more.stored;
    refused += more.refused;
    lacked_room = lacked_room || more.lacked_room;
  }
};

// What is answered when all that can be is stored: 202; 422 where nothing can ever be sent; 429 or
// 503 where nothing was stored and may be later; else 207. `is_whole`: nothing was left unread.
[[nodiscard]] int status_of_storing(const StoredCounts& storing, std::uint64_t invalid,
                                    bool is_whole);

// What came since the last look, but for lines and names.
struct Mail {
  std::size_t messages = 0;  // that are over
  std::array<std::uint64_t, status_count> by_status{};
  std::uint64_t left_out = 0;  // outcomes without a line, since the budget had no room for it
  StoredCounts storing;
};

struct OutcomeMailboxOptions {
  std::span<const std::string> endpoint_names;  // outlive it, and so does the budget
  bool keeps_failed = false;
  std::function<void()> ring;  // whoever takes should come; on any thread
};

class OutcomeMailbox;
// Appends "stored":N, and, where some were not, "not_stored":[ids],
void append_storing(std::string& json, const StoredCounts& storing, OutcomeMailbox& mailbox);

// One for each request, held by whoever still has to tell. Thread-safe.
class OutcomeMailbox {
 public:
  OutcomeMailbox(OutcomeMailboxOptions options, ByteBudget& budget);

  // A function that puts outcomes in here, as long as it is kept.
  [[nodiscard]] static MessageTaker::Completion slot_of(
      const std::shared_ptr<OutcomeMailbox>& mailbox);
  // The same for what becomes of a message that is to be stored, with its id.
  [[nodiscard]] static MessageTaker::StoreCompletion store_slot_of(
      const std::shared_ptr<OutcomeMailbox>& mailbox, const std::string& id);
  [[nodiscard]] Mail take();
  // Outcome lines, at most so many octets of them; they are out of the budget then.
  [[nodiscard]] std::string take_lines(std::size_t bytes_max);
  [[nodiscard]] std::size_t line_bytes();
  // Where they are asked for; and messages that were not stored, by their ids.
  [[nodiscard]] std::vector<FailedRecipient> take_failed();
  // Nobody takes any more, and nobody is rung for.
  void close();

 private:
  void put(const Message& message, std::span<const Outcome> outcomes);
  void put_stored(MessageTaker::Stored stored, const std::string& id);
  void ring();
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
