// Exit codes of docs/CONTRACT.md section 1. Users' scripts test them: never renumbered.
#pragma once

namespace ringpost::cli {

enum ExitCode : int {
  exit_all_accepted = 0,
  exit_uncategorised = 1,
  exit_usage = 2,
  exit_invalid_input = 3,
  exit_rejected = 4,
  exit_deferred = 5,  // deferred, expired or unsent: running again helps
  exit_unknown = 6,
  exit_no_endpoint = 7,
  exit_limit_reached = 8,
  exit_threshold_failed = 10,
  exit_outcomes_lost = 11,
  exit_hung_up = 129,
  exit_interrupted = 130,
  exit_terminated = 143,
};

}  // namespace ringpost::cli
