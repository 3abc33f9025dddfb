// How long an endpoint takes for its messages, without sending any: its rates and its sessions,
// stepped through virtual time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/quota.h"
#include "queue/quota_memory.h"
#include <ringpost/base.h>
#include <ringpost/quota.h>

namespace ringpost::cli {

// How far commands run ahead of replies: what a message costs in replies that are waited for.
enum class ForecastWay : std::uint8_t {
  lock_step,  // MAIL, each RCPT, DATA and the end of data
  within,     // the commands together, and the end of data
  across,     // content and the next message's commands together
  flights,    // many messages together
};
[[nodiscard]] std::string_view name_of(ForecastWay way);

struct ForecastOptions {
  std::vector<QuotaLimit> rates = {};
  std::uint32_t sessions = 1;
  std::uint64_t session_messages_max = 0;  // 0: no limit
  ForecastWay way = ForecastWay::lock_step;
  std::uint32_t flight_messages = 1;  // with flights
  bool has_successors = false;        // the next session is there when one ends
  Duration reply_time = std::chrono::milliseconds(50);
  std::uint32_t opening_replies = 4;  // that a session waits for before its first message
  Instant start{};
};

enum class ForecastBound : std::uint8_t { nothing, rate, connections };
[[nodiscard]] std::string_view name_of(ForecastBound bound);

struct ForecastUse {
  QuotaLimit limit;
  std::uint64_t used_before = 0;  // of the window that ends at the start
  std::uint64_t units = 0;        // of this run, in all
};

struct ForecastResult {
  std::uint64_t transactions = 0;
  Duration duration{0};  // until the last reply
  ForecastBound bound = ForecastBound::nothing;
  double bound_share = 0;          // of the duration, waiting for it
  std::vector<ForecastUse> uses;   // of each limit, in the order of the options
  std::size_t binding = SIZE_MAX;  // which of them binds, where `bound` is rate
};

// Steps as messages are told of, so that it holds none. A message costs a microsecond or two.
class RunForecast {
 public:
  // `memory`: the counts so far, which are used up; outlives it.
  RunForecast(const ForecastOptions& options, queue::QuotaMemory& memory);

  // The next transaction in the order of the run.
  void add(const engine::QuotaAmounts& amounts);
  // Recipients of one transaction, as rates bound them.
  [[nodiscard]] std::uint64_t recipients_max() const { return quota_.recipients_max(); }
  // Behind the last one.
  [[nodiscard]] ForecastResult result() const;

 private:
  // A session, or with flights one of the places in it.
  struct Slot {
    Instant free_at{};
    std::uint64_t messages = 0;  // in the session that is open
    bool is_waiting = false;     // its ticket's answer has not come
    engine::QuotaTicket ticket = {};
  };

  [[nodiscard]] Duration hold_of(const engine::QuotaAmounts& amounts, bool is_first) const;
  void free_slots();
  void begin(Instant at, const engine::QuotaAmounts& amounts, const engine::QuotaTicket& ticket);
  [[nodiscard]] std::size_t binding_limit() const;

  const ForecastOptions options_;
  engine::Quota quota_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> busy_;  // a heap, the one that is free first on top
  std::vector<std::size_t> idle_;
  Instant now_;
  Instant last_reply_;
  Duration waited_for_rate_{0};
  Duration waited_for_slot_{0};
  ForecastResult result_;
};

}  // namespace ringpost::cli
