// What keeps an endpoint from being given more, and for how long it was what.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "codec/job/delivery.h"
#include "engine/stats.h"
#include "engine/time_histogram.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::engine {

enum class LimitingFactor : std::uint8_t {
  nothing,      // nobody wants anything, or it is over
  input,        // sessions have room, and no message is there
  output,       // the same, and whoever reads jobs waits until outcomes have been written
  rate,         // messages and sessions are there, and a rate allows no more
  connections,  // messages are there, and no further session is let in, or not yet
  replies,      // messages are there, and all sessions wait for the server
  pause,        // the server wanted to be left alone
  retries,      // all that is left waits for another attempt
  away,         // the endpoint does not answer
};
inline constexpr std::size_t limiting_factor_count = 9;

// Of one endpoint and one worker, which writes it.
struct alignas(cache_line_bytes) RouteStats {
  std::array<Counter, limiting_factor_count> held_ns;
  // From the moment in which a session took a transaction until it was done with it.
  Counter transactions;
  Counter transaction_ns;      // of all
  Counter transaction_ns_min;  // 0 before the first

  Counter sessions_opened;
  Counter sessions_ready;
  Counter sessions_resumed;
  // As of the last turn.
  Counter sessions;            // that are ready
  Counter waiting;             // deliveries, for another attempt
  Counter next_attempt_at_ns;  // on the steady clock; 0: none waits
  TimeHistogram reply_times;   // to the end of data
  TimeHistogram opening_times;

  void note_transaction(Duration taken);
};

// What an endpoint has done, over all its workers, or over all workers of several.
[[nodiscard]] EndpointCounts endpoint_counts(const std::vector<const RouteStats*>& of, Instant now);

// Shares of the time in which there was something to send, over all workers of an endpoint, the
// largest first. Waiting for replies is called "round trips" where transactions take hardly longer
// than the fastest of them did, and else "server".
[[nodiscard]] std::vector<FactorShare> limiting_factors(const std::vector<const RouteStats*>& of);

}  // namespace ringpost::engine
