// What both halves of a session speak through: commands on their way out, where they stand in the
// output stream, and the replies that come back for them in the same order (RFC 2920 3.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "codec/smtp/smtp_reply.h"
#include "engine/protocol/reply_fifo.h"
#include <ringpost/base.h>

namespace ringpost::protocol {

// Knows no message and no phase. Offsets count the octets of the output stream: `written` are those
// that were said, `output` those that were taken from here, `handed over` those that the kernel was
// given. Thread and lifetime: its session's.
class CommandStream {
 public:
  // ---- Out ----

  // Commands that take() has not taken yet: more of them go to its end. Each one that is answered
  // is followed by expect().
  [[nodiscard]] std::string& pending() { return pending_; }
  [[nodiscard]] bool has_pending() const { return taken_ < pending_.size(); }
  void expect(Expected kind, std::uint64_t transaction = 0, std::uint32_t recipient = 0) {
    Expectation expectation;
    expectation.kind = kind;
    expectation.transaction = transaction;
    expectation.recipient = recipient;
    expectation.sent_offset = written_offset();
    awaited_.push(expectation);
  }
  // The next commands, as many octets as there is room for. How many these were.
  std::size_t take(std::span<char> room);
  // Octets that leave beside the commands, and behind all that is pending: content.
  void note_output(std::size_t octets) { output_offset_ += octets; }
  // They never leave.
  void drop_pending();

  [[nodiscard]] std::uint64_t written_offset() const {
    return output_offset_ + (pending_.size() - taken_);
  }
  [[nodiscard]] std::uint64_t output_offset() const { return output_offset_; }
  [[nodiscard]] std::uint64_t handed_over_offset() const { return handed_over_offset_; }
  // Precondition: `offset` is none of those that were not taken yet, and does not go back.
  void hand_over(std::uint64_t offset) {
    RP_ASSERT(offset >= handed_over_offset_ && offset <= output_offset_);
    handed_over_offset_ = offset;
  }
  // Of a place in the output stream; 0: what will end there is not written yet.
  [[nodiscard]] bool has_left(std::uint64_t offset) const {
    return offset != 0 && offset <= handed_over_offset_;
  }

  // ---- In ----

  // As ReplyParser::parse(); notes what had left when the reply began.
  [[nodiscard]] Result<bool, codec::ReplyError> parse(Bytes& octets, codec::Reply& reply) {
    if (!parser_.in_reply()) {
      reply_begin_offset_ = handed_over_offset_;
    }
    return parser_.parse(octets, reply);
  }
  [[nodiscard]] const codec::ReplyParser& parser() const { return parser_; }
  [[nodiscard]] const ReplyFifo& awaited() const { return awaited_; }
  // The reply at hand belongs to the front of what is awaited.
  void credit() {
    awaited_.pop();
    credited_offset_ = reply_begin_offset_;
  }
  // Handed over when the reply at hand began to come.
  [[nodiscard]] std::uint64_t reply_begin_offset() const { return reply_begin_offset_; }
  // The same of the reply that was credited last.
  [[nodiscard]] std::uint64_t credited_offset() const { return credited_offset_; }

 private:
  ReplyFifo awaited_;
  std::string pending_;
  std::size_t taken_ = 0;  // of it
  std::uint64_t output_offset_ = 0;
  std::uint64_t handed_over_offset_ = 0;
  std::uint64_t reply_begin_offset_ = 0;
  std::uint64_t credited_offset_ = 0;
  codec::ReplyParser parser_;
};

}  // namespace ringpost::protocol
