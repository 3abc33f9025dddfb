// A message on its way to some of its recipients, and what becomes of each of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <ringpost/base.h>
#include <ringpost/message.h>
#include <ringpost/outcome.h>

namespace ringpost {

struct Consignment;

// What goes from core to core does so in pieces of this size.
inline constexpr std::size_t cache_line_bytes = 64;

// How far a recipient has come in the transaction under way. A note of the session that holds the
// delivery.
enum class RecipientProgress : std::uint8_t {
  waiting,  // not part of the transaction
  offered,  // RCPT is to be sent, or its reply awaited
  taken,    // RCPT had its 2xx
  refused,  // RCPT was refused, or the recipient is decided otherwise
};

// What became of one recipient, in as few cache lines as it can be.
struct alignas(cache_line_bytes) Recipient {
  RecipientProgress progress = RecipientProgress::waiting;
  bool postponed = false;        // waits for a later attempt; not part of transactions until then
  bool decided = false;          // the outcome is final
  bool reported = false;         // and belongs to the outcome thread, or an earlier run has told it
  bool noted_in_flight = false;  // the journal has it as in flight
  Outcome outcome;

  void clear();
};

// A message for its recipients [begin, end), who fit into one transaction. What sessions and routes
// hold: one session at a time has a delivery, and others may have further ones of its message.
//
// Lifetime and ownership: it is a part of a Consignment, owned by one worker while it is in flight,
// and by the outcome thread afterwards, which gives it back to the pool when every recipient's line
// has been delivered. Nothing in it may be touched by two threads at once.
struct Delivery {
  const Message* message = nullptr;
  Consignment* consignment = nullptr;  // which it is a part of
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  // Of begin to end, once it is open; kept for their capacity, so that there may be more.
  std::vector<Recipient> recipients;
  bool is_open = false;
  // All have the same outcome, that of recipients[0]: see outcome_of() in queue/consignment.h.
  bool shares_outcome = false;
  // False: the message asks for no status notifications, and nobody need look.
  bool may_ask_dsn : 1 = true;
  bool is_cancellable : 1 = true;  // false: nobody takes the message back, and nobody need look
  // Where a session was lost that was busy with its message, before this transaction began and in
  // it; `local`: none.
  Stage loss_stage = Stage::local;
  Stage new_loss_stage = Stage::local;
  // How often in a row the server has said that it came too fast, and whether it does so now.
  std::uint8_t rate_refusals = 0;
  bool is_too_fast = false;
  // In how many attempts in a row a rule fitted whose action is not taken at the first time, the
  // one under way included, and whether that is one.
  std::uint8_t repeats : 7 = 0;
  bool is_repeated : 1 = false;
  Instant submitted_at{};         // when the engine took it
  Instant started_at{};           // when a session last took it
  Duration retry_pause{};         // in front of the attempt of its postponed recipients
  std::size_t outcomes_left = 0;  // outcome thread: lines still to be delivered
  std::size_t budget_bytes = 0;   // what it counts for in the pool

  [[nodiscard]] std::size_t size() const { return end - begin; }
  // Makes room for what becomes of its recipients: everybody waits.
  void open();
  [[nodiscard]] std::span<Recipient> active_recipients() { return {recipients.data(), size()}; }
  [[nodiscard]] std::span<const Recipient> active_recipients() const {
    return {recipients.data(), size()};
  }
  [[nodiscard]] Bytes address(std::size_t index) const {
    return message->recipients[begin + index];
  }
};

}  // namespace ringpost
