// A job's first steps: what is still to be said of its recipients, and what is left to send.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/job/job.h"
#include "queue/outcome_queue.h"

namespace ringpost::engine {

// Why a job cannot be sent whatever the server says, in a clause; empty: it can. Whoever fills jobs
// with the reader's help never meets it: here stands what nobody may put into a command (RFC 5321
// 4.1.2), from whomever the job comes. What needs SMTPUTF8 is marked as such.
[[nodiscard]] std::string submission_offence(Job& job);

// Counts the outcomes that are to be delivered, one at least. False: every recipient is decided
// already, and nothing is to be sent.
[[nodiscard]] bool begin_submission(Job& job);

// The job cannot be sent: whoever is not reported yet is `invalid` for this reason. A job without
// recipients gets one, without an address.
void refuse_submission(Job& job, std::string_view reason, std::int64_t now_us);

// Everybody who was not reported yet, and is now: for the outcome queue.
[[nodiscard]] std::vector<queue::DecidedRecipient> report_submission(Job& job);

}  // namespace ringpost::engine
