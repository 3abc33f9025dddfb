// The promise of docs/CONTRACT.md section 5, held against what the servers have.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "tests/sim/plan.h"
#include "tests/sim/process.h"
#include "tests/support/model_server.h"

namespace ringpost::sim {

// What all lives of a plan have said and done.
struct Story {
  const Plan& plan;
  std::vector<Told> told;  // in order, over all lives
  RecipientPlaces recipients_read = {};
  std::uint64_t lives_cut_short = 0;
  // As they were to be sent: by job, or by recipient where each has one of his own.
  std::map<std::string, std::string> contents;
  std::vector<test::Refusal> refusals = {};  // of all servers
};

// The first thing that breaks the promise, in words; empty when all is kept:
// every recipient of every message that was read has one final word, or the last word of those that
// are sent again, and nothing behind it; `accepted` has its message at a server exactly once;
// `unknown` once or not at all; every other word not at all; `rejected` is only whom a server
// refused for good by its own judgement, or in its whim where it is fickle; and what a server has
// is what was to be sent, octet by octet, under its own sender. Where unknown messages are sent
// again, each time allows one more copy. In a sound plan nobody is `unknown` or `unsent`, and
// `deferred` only who was put off by the server's own judgement.
[[nodiscard]] std::string broken_promise(const Story& story,
                                         std::span<const test::TakenMessage* const> taken);

// Whether a resume would send the recipient again, were this its last word.
[[nodiscard]] bool is_sent_again(Status status, bool resend_unknown);

}  // namespace ringpost::sim
