// The transactions of a session that are under way, and how many more may be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/job/delivery.h"
#include "codec/mail/body_scan.h"
#include "engine/protocol/frontier.h"
#include "engine/protocol/reply_fifo.h"
#include "engine/protocol/server_traits.h"
#include "engine/protocol/session_options.h"
#include <ringpost/base.h>
#include <ringpost/message.h>

namespace ringpost::protocol {

// One message on its way through a session: a transaction of RFC 5321 3.3.
struct Transaction {
  enum class Step : std::uint8_t {
    mail,
    rcpt,
    data,
    await_data,   // for 354
    await_chunk,  // for the answer to a first BDAT, which is not the last
    content,
    end_of_data,
    sent,
  };

  Delivery* delivery = nullptr;
  const Message* message = nullptr;
  std::uint32_t recipients_begin = 0;
  std::uint32_t recipients_end = 0;
  std::uint32_t next_recipient = 0;  // whose RCPT is to be sent next
  std::uint32_t taken = 0;           // RCPTs with a 2xx, be it behind a refused MAIL
  Step step = Step::mail;
  bool mail_taken = false;
  bool mail_refused = false;
  bool lone_dot = false;      // 354 came though no recipient was taken (RFC 2920 3.1)
  bool chunked = false;       // its content goes behind BDAT, as it is
  bool answered = false;      // BDAT was refused in the middle of its content, which goes on
  bool one_by_one = false;    // in lock-step and behind DATA: for a second opinion
  bool chunk_tried = false;   // its first octets went in a BDAT of their own, or cannot
  std::uint32_t offered = 0;  // recipients
  std::string header;         // in front of the message's content
  // How far its content has been taken: a piece of it, and all those before.
  std::size_t piece = 0;
  codec::StuffCursor cursor;
  std::uint64_t content_taken = 0;
  std::uint64_t end_offset = 0;  // of the end of data in the output stream; 0: not written yet
  Instant left_at{};             // when that was handed to the kernel

  // The server has taken no recipient, or the message not at all.
  [[nodiscard]] bool is_for_nobody() const { return taken == 0 || mail_refused; }
  // Something of it may be open at the server.
  [[nodiscard]] bool may_be_open() const { return mail_taken || taken > 0; }
  // Recipients of the delivery that are neither decided nor postponed, `recipients_max` at most.
  void offer(std::uint32_t recipients_max);
  // Behind the last recipient to whom RCPT was said.
  void skip_to_next_recipient();
  // The same message from its MAIL on, in lock-step, for recipients that have no verdict.
  [[nodiscard]] Transaction in_lock_step();
  // The next piece of its content is next.
  void begin_piece();
  // That can go in front of the others, without a line end; 0: there are none.
  [[nodiscard]] std::size_t first_chunk_bytes() const;
};

// A ring of transactions. Each has a number: those in flight are from done() to begun(), and the
// octets that leave next are those of sending(). Lifetime: options and traits outlive it. Thread:
// its session's.
class Flight {
 public:
  Flight(const SessionOptions& options, const ServerTraits& traits)
      : options_(options), traits_(traits), ring_(2) {}
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  // See Session::go_with().
  void go_with(Frontier& frontier) { frontier_ = &frontier; }
  // The session is over: what becomes of those in flight tells the others nothing any more.
  void end();

  // ---- Transactions ----

  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] std::uint64_t sending() const { return sending_; }
  [[nodiscard]] std::uint64_t begun() const { return begun_; }
  [[nodiscard]] std::size_t size() const { return begun_ - done_; }
  [[nodiscard]] bool empty() const { return begun_ == done_; }
  [[nodiscard]] bool all_sent() const { return sending_ == begun_; }
  // Precondition: it is in flight.
  [[nodiscard]] Transaction& at(std::uint64_t number) { return ring_[number & (ring_.size() - 1)]; }
  [[nodiscard]] const Transaction& at(std::uint64_t number) const {
    return ring_[number & (ring_.size() - 1)];
  }
  // That waits for its replies first.
  [[nodiscard]] Transaction& front() { return at(done_); }
  [[nodiscard]] const Transaction& front() const { return at(done_); }
  // Whose octets are next. Precondition: not all_sent().
  [[nodiscard]] Transaction& next() { return at(sending_); }
  [[nodiscard]] const Transaction& next() const { return at(sending_); }
  // The one that stands in front of it, or stood there.
  [[nodiscard]] const Transaction& before_next() const { return at(sending_ - 1); }

  // With as many of the delivery's recipients as may be. Precondition: has_room(), and there is
  // such a recipient.
  Transaction& add(Delivery& delivery, std::uint32_t recipients_max);
  // All octets of next() are written.
  void advance() { ++sending_; }
  // The front begins anew, and what stands behind it with it, of which nothing has left.
  void restart(Transaction again);
  // The front is over. Its delivery.
  Delivery& pop();
  // The next one that ends in front of `offset`, once; null: none does.
  [[nodiscard]] const Transaction* announce(std::uint64_t offset);
  // Everything in front of `offset` has left.
  void note_left(std::uint64_t offset, Instant now);
  // When the end of data of the one that pop() took away last had left; nothing: it never did.
  [[nodiscard]] Instant last_left_at() const { return last_left_at_; }

  // Whether the command had not left when `handed_over` octets had.
  [[nodiscard]] bool is_early(const Expectation& expectation, std::uint64_t handed_over) const {
    if (expectation.kind != Expected::end_of_data) {
      return expectation.sent_offset > handed_over;
    }
    const std::uint64_t end_offset = at(expectation.transaction).end_offset;
    return end_offset == 0 || end_offset > handed_over;
  }

  // ---- What may leave ----

  // How far ahead commands may run now: less than what the server goes along with while a step is
  // in doubt.
  [[nodiscard]] Pipelining way() const;
  // A step has come in doubt: see stays_below().
  void note_doubts() { doubts_since_ = done_; }
  // Whether it is too early to try a step again that is in doubt.
  [[nodiscard]] bool stays_below(Pipelining step) const;
  // Whether one more message may be in flight.
  [[nodiscard]] bool has_room() const;
  // How many recipients it may have, in a session that has met with so many refusals.
  [[nodiscard]] std::uint32_t recipients_room(std::uint32_t refusals) const;
  // Whether the MAIL of next(), which goes this way, may leave while the message in front of it has
  // no answer yet; `handed_over` octets have left.
  [[nodiscard]] bool may_run_ahead(Pipelining way, std::uint64_t handed_over) const;
  // Whether the BDAT of next() waits for the replies to its envelope, and nothing follows it before
  // its own: because the server may not know BDAT, or end the session here, or its words are not
  // known.
  [[nodiscard]] bool next_goes_alone() const;

  // Called when the front was accepted, in flights that are known to work: later ones are deeper.
  void grow();
  // Whether the front is the last of a flight of several that has come back.
  [[nodiscard]] bool has_come_back() const;

 private:
  [[nodiscard]] Transaction& new_slot();
  [[nodiscard]] std::size_t depth() const;
  [[nodiscard]] std::size_t depth_alone() const;

  // Flights of a server that has shown that it can: they begin small, since what is in flight when
  // a connection dies is in doubt.
  static constexpr std::size_t messages_first = 8;
  // Until it has: one that is on trial behind one that is safe.
  static constexpr std::size_t messages_unproven = 2;

  const SessionOptions& options_;
  const ServerTraits& traits_;
  std::vector<Transaction> ring_;  // of 2, 4, 8 and so on: the deepest flight
  std::uint64_t done_ = 0;
  std::uint64_t sending_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t announced_ = 0;        // those before it
  std::uint64_t left_ = 0;             // those before it, with the end of their data
  std::uint64_t recipients_ = 0;       // of those in flight
  std::uint64_t content_bytes_ = 0;    // likewise
  std::uint64_t full_flight_end_ = 0;  // those before it were in flight when there was no more room
  std::size_t grown_depth_ = 0;        // of flights, by now
  std::uint64_t doubts_since_ = 0;     // those that it had done when it heard of the latest
  Instant last_left_at_{};
  Frontier alone_;
  Frontier* frontier_ = &alone_;
  bool over_ = false;
};

}  // namespace ringpost::protocol
