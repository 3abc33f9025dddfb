// What a reply, or the want of one, means for a recipient. The only place where outcomes are made.
#pragma once

#include "codec/base.h"
#include "codec/outcome.h"
#include "codec/smtp_reply.h"
#include "engine/protocol/close_reason.h"

namespace ringpost::protocol {

// Views into the reply or the reason; valid as long as those.
struct Verdict {
  Status status = Status::unsent;
  Stage stage = Stage::local;
  std::uint16_t code = 0;
  EnhancedStatus enhanced;
  Bytes text;    // the server's words
  Bytes reason;  // ours
  // Nothing of the message can have been accepted and another attempt may fare better.
  bool may_retry = false;
  // It was the way of sending that failed, and the next attempt uses another one.
  bool counts_as_attempt = true;
};

// A reply that answers for the recipient. Precondition: its class is 2, 4 or 5, and 2 only at
// Stage::eod.
[[nodiscard]] Verdict verdict_of_reply(Stage stage, const codec::Reply& reply);

// The server has enough recipients for this transaction and took some (RFC 5321 4.5.3.1.10): this
// one goes into another transaction.
[[nodiscard]] Verdict verdict_of_overflow(const codec::Reply& reply);

// The server announced BDAT and does not know it (RFC 3030): the message goes behind DATA next.
[[nodiscard]] Verdict verdict_of_refused_chunking(const codec::Reply& reply);

// The session ended before the recipient had an answer. `end_of_data_handed_over`: the last octet
// of the message's end of data was given to the kernel, so the server may have taken it.
[[nodiscard]] Verdict verdict_of_loss(Stage stage, bool end_of_data_handed_over,
                                      const CloseReason& reason, Bytes reason_text);

// Refused here, before any octet of it was sent.
[[nodiscard]] Verdict verdict_of_local_refusal(Bytes reason);

// Never given to a session, because there is none to be had or because the run is stopped.
[[nodiscard]] Verdict verdict_of_no_session(const CloseReason& reason, Bytes reason_text);

}  // namespace ringpost::protocol
