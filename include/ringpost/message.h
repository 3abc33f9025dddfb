// A message: what whoever sends it says. What becomes of it is not in here.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ringpost/base.h>
#include <ringpost/content.h>

namespace ringpost {

// Delivery status notifications (RFC 3461), requested by `envelope.dsn`. Empty strings: not
// requested.
struct DsnRequest {
  std::string notify;       // "NEVER" or a comma list of SUCCESS, FAILURE, DELAY
  std::string return_kind;  // "FULL" or "HDRS"
  std::string
      envelope_id;  // clear text, at most 100 printable characters; xtext is made on the wire
};

// An address as commands have it (`local@domain`, the domain in A-labels), of one as people write
// it without a name; or a clause that says why it is none. What is submitted has to be so.
[[nodiscard]] RINGPOST_API Result<std::string, std::string> checked_address(Bytes text);

// Validated addresses (`local@domain`, domain in A-labels, no angle brackets) one behind the other,
// an LF behind each: a list of a hundred thousand takes little more than their octets.
class RINGPOST_API RecipientList {
 public:
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] Bytes operator[](std::size_t index) const {
    const std::size_t begin = begin_of(index);
    return Bytes(octets_).substr(begin, begin_of(index + 1) - begin - 1);
  }
  // All that stand before it, with the LF behind each.
  [[nodiscard]] Bytes in_front_of(std::size_t index) const {
    return Bytes(octets_).substr(0, begin_of(index));
  }
  void add(Bytes address);
  // Those of another list behind its own; what is in that one then, nobody knows.
  void take(RecipientList& others);
  // Empty; memory is kept for the next, up to limits::job_bytes_kept_max.
  void clear();
  // For hints to the processor.
  [[nodiscard]] const char* data() const { return octets_.data(); }
  // What its buffers hold of memory.
  [[nodiscard]] std::size_t bytes() const {
    return octets_.capacity() + ends_.capacity() * sizeof(ends_[0]);
  }

 private:
  // Nearly all messages have one recipient, whose end needs no list.
  [[nodiscard]] std::size_t begin_of(std::size_t index) const {
    return index == 0 ? 0 : index == count_ ? octets_.size() : ends_[index - 1];
  }

  std::string octets_;
  std::size_t count_ = 0;
  std::vector<std::uint32_t> ends_;  // of all but the last
};

// Where a message comes from: for people and for journals.
struct Origin {
  std::string file;
  std::uint64_t line = 0;  // 1-based
  // For a journal: its place, from 0, among the lines of all job files, and a hash of its line.
  std::uint64_t ordinal = 0;
  std::uint64_t line_hash = 0;
  // Where a line is several messages: which of its recipients this one begins with, from 0, and how
  // many there are in all; 0: as many as the message has.
  std::uint32_t first_recipient = 0;
  std::uint32_t job_recipients = 0;
};

// By which messages that wait can be taken back: one for a message, or for all of a client. Kept by
// whoever may want that and, in Message::cancellation, by the messages. See Engine::cancel().
class Cancellation {
 public:
  // What their outcomes say: "its client had gone before a session had it".
  explicit Cancellation(std::string reason) : reason_(std::move(reason)) {}

  // Any thread.
  [[nodiscard]] bool is_cancelled() const { return is_cancelled_.load(std::memory_order_acquire); }
  [[nodiscard]] Bytes reason() const { return reason_; }
  // False: it was already. Engine::cancel() says it to those who have the messages, too.
  bool cancel() { return !is_cancelled_.exchange(true); }

 private:
  const std::string reason_;
  std::atomic<bool> is_cancelled_{false};
};

// Immutable from the moment it is submitted, and read by any thread from then on.
struct RINGPOST_API Message {
  // What a worker needs of every message stands together, since it comes from another core's cache;
  // then what its outcome line needs, too; then what only few have.
  Content content;
  std::string sender;              // reverse-path without brackets; empty is the null sender
  std::int64_t expires_at_us = 0;  // Unix time; 0: never
  bool needs_smtputf8 = false;     // an address or a header is not ASCII
  RecipientList recipients;

  std::string id;             // echoed; never empty (a hash of the line when the line has none)
  std::string tags_json;      // raw JSON of `tags`, echoed; empty when absent
  std::string metadata_json;  // raw JSON of `metadata`, echoed; empty when absent
  std::string recipient_id;   // echoed; of a recipient who has a message of his own, if he has any

  DsnRequest dsn;
  std::string endpoint;  // name of the endpoint asked for; empty: any
  std::string idempotency_key;
  Origin origin;
  // Of whoever submits it, who finds it again in the outcomes; nobody else looks at it.
  void* context = nullptr;
  std::shared_ptr<Cancellation> cancellation;  // null: nobody takes it back

  [[nodiscard]] bool is_cancelled() const {
    return cancellation != nullptr && cancellation->is_cancelled();
  }
  // Ready to be filled again: everything empty, capacity kept up to limits::job_bytes_kept_max.
  void clear();
  // Frees what an unusually large message has swollen. What it says is lost; clear() does the rest.
  void give_up_memory();
};

// What an earlier run has left of one recipient.
enum class PriorFate : std::uint8_t {
  none,          // nothing that matters: it is sent
  in_doubt,      // it may have the message, which is told now, and nothing is sent
  resend_apart,  // it may have the message, and gets it again, apart from those who cannot have it
  left_out,      // on purpose, which is told now, and nothing is sent
  has_it,        // an earlier run has told its outcome: it has the message, or may have it
  done,          // an earlier run has told its outcome: it has not got it, and will not
};
[[nodiscard]] constexpr bool is_told(PriorFate fate) { return fate >= PriorFate::has_it; }

// Why a recipient is left out, for people.
struct LeftOut {
  std::uint32_t recipient = 0;
  std::string reason;
};

}  // namespace ringpost
