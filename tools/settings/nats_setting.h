// [nats]: where jobs come from when several machines share the work.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::cli {

struct NatsOptions {
  std::string url;  // one or several with commas between them; empty: there is no NATS
  std::string user;
  std::string password_file;
  std::string credentials_file;
  std::string ca_file;
  // What `nats setup` creates and `serve` goes by.
  std::string jobs_stream = "RINGPOST_JOBS";
  std::string jobs_subject = "ringpost.jobs.>";
  std::string consumer = "ringpost";
  std::string outcomes_stream = "RINGPOST_OUTCOMES";
  std::string outcomes_subject = "ringpost.outcomes";
  std::string bucket = "ringpost";
  // A pull costs a handful of round trips, so a hundred jobs make them cheap.
  std::size_t batch = 100;
  // Of this node at a time. A node that dies leaves as many that nobody knows of, and as many
  // divided by the seconds of a reply are sent a second at most.
  std::size_t jobs_in_flight = 500;
  // Before the next round of what the provider put off; twice as long before each further one, up
  // to an hour.
  Duration retry_after = std::chrono::minutes(1);
  std::uint64_t rounds = 10;     // then `deferred` is the outcome
  bool resends_unknown = false;  // jobs of a node that died with them are sent again
};

}  // namespace ringpost::cli
