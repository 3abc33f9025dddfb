// What may be given to an endpoint, by all workers of this process and of others together.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/quota_window.h"
#include "queue/quota_memory.h"
#include <ringpost/base.h>
#include <ringpost/quota.h>

namespace ringpost::engine {

// What one transaction uses.
struct QuotaAmounts {
  std::uint64_t messages = 1;
  std::uint64_t recipients = 1;
  std::uint64_t octets = 0;
};

// What was taken, for answered() or give_back(). Each ticket is given to one of them, once.
struct QuotaTicket {
  Instant taken_at = never;
  QuotaAmounts amounts = {};
  std::array<QuotaPlace, queue::quota_logs> places = {};
};

struct QuotaAnswer {
  bool is_taken = false;
  QuotaTicket ticket = {};  // where it is taken
  Instant next = never;     // else: when asking again may help
};

// The shortest time between a ticket and its answer, of late: older ones are forgotten, since a
// path that became longer would make every unit look late.
class ShortestReply {
 public:
  void note(Duration reply, Instant now);
  // Zero: nothing was answered yet.
  [[nodiscard]] Duration get() const;

 private:
  Instant begun_ = Instant::min();
  Duration current_ = Duration::max();
  Duration previous_ = Duration::max();
};

// Several limits that hold together: a transaction is within all of them, or waits. Thread-safe;
// without a limit nothing is locked and nothing written.
class Quota {
 public:
  // At most one limit for each unit and period; of several the last one holds. `memory` outlives
  // it. `found_rate_unit`: what a rate counts that is found out while sending.
  Quota(const std::vector<QuotaLimit>& limits, queue::QuotaMemory& memory,
        QuotaUnit found_rate_unit = QuotaUnit::messages);

  [[nodiscard]] bool unlimited() const { return !counts_.load(std::memory_order_relaxed); }
  [[nodiscard]] QuotaAnswer take(const QuotaAmounts& amounts, Instant now);
  // The transaction had its last answer, whatever it was, or none is to be expected.
  // `in_warm_session`: other messages were answered before it there and none was under way, so
  // that its time tells how long an answer takes.
  void answered(const QuotaTicket& ticket, Instant now, bool in_warm_session = true);
  // Nothing of it left.
  void give_back(const QuotaTicket& ticket);

  // A further limit, beside those of the configuration, that may change at any time. Nothing: as
  // much as there is.
  void set_found_rate(std::optional<RateWindow> rate);

  // Recipients that fit into one transaction.
  [[nodiscard]] std::uint64_t recipients_max() const;
  // What stands in a window now.
  [[nodiscard]] std::uint64_t used(const QuotaLimit& limit, Instant now);

 private:
  struct Limit {
    QuotaLimit limit;
    std::size_t log = 0;
  };

  [[nodiscard]] QuotaWindow window_of(const Limit& limit) const;
  [[nodiscard]] Instant free_at(const Limit& limit, const QuotaAmounts& amounts, Instant now) const;
  [[nodiscard]] const Limit* paced() const;
  template <typename Function>
  void for_each(Function&& function) const;

  std::vector<Limit> limits_;  // shortest first
  queue::QuotaMemory& memory_;
  std::atomic<bool> counts_;
  Limit found_rate_;
  bool has_found_rate_ = false;
  ShortestReply shortest_reply_;
};

}  // namespace ringpost::engine
