// A message's first steps: whether it can be sent, and what is told of it when not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/protocol/verdict.h"
#include "queue/consignment.h"
#include "queue/outcome_queue.h"

namespace ringpost::engine {

// Why a message cannot be sent whatever the server says, in a clause; empty: it can. Whoever fills
// messages with the reader's help never meets it: here stands what nobody may put into a command
// (RFC 5321 4.1.2), from whomever the message comes. What needs SMTPUTF8 is marked as such.
[[nodiscard]] std::string submission_offence(Consignment& consignment);

// Whether it is to be sent to any of its recipients [begin, end).
[[nodiscard]] bool sends_to_any(const Consignment& consignment, std::size_t begin, std::size_t end);

// Nothing of it is sent: whoever was not told by an earlier run, nor left in doubt by it, has this
// verdict, all in one delivery. A message without recipients gets one, without an address.
void decide_submission(Consignment& consignment, const protocol::Verdict& verdict,
                       std::int64_t now_us);

// Of a delivery of which nothing is sent: everybody who was not told by an earlier run, for the
// outcome queue.
[[nodiscard]] std::vector<queue::DecidedRecipients> report_submission(Delivery& delivery);

}  // namespace ringpost::engine
