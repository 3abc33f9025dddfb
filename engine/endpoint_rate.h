// How fast an endpoint may be given messages, by all workers together: the limits that are
// configured, and the one that is found out while sending.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/quota.h"
#include "engine/rate_control.h"
#include <ringpost/base.h>
#include <ringpost/config.h>
#include <ringpost/quota.h>

namespace ringpost::engine {

// What became of a transaction, as far as a rate is concerned.
struct RateAnswer {
  bool in_warm_session = false;  // see Quota::answered()
  std::uint32_t too_fast = 0;    // recipients for whom the server said that it was too fast
  std::uint32_t taken = 0;       // of whom it took the message, or judged it
};

// Thread-safe. Where no limit is configured and none is looked for, nothing is locked or written
// until the server has said that something came too fast.
class EndpointRate {
 public:
  // Both outlive it. The limit that an earlier run has found stands in `memory`.
  EndpointRate(const EndpointOptions& options, queue::QuotaMemory& memory);

  [[nodiscard]] bool unlimited() const {
    return quota_.unlimited() && !follows_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] QuotaAnswer take(const QuotaAmounts& amounts, Instant now);
  // Each ticket is given to one of them, once.
  // True: a limit was found out, or another one than before, which is in `memory` now.
  bool answered(const QuotaTicket& ticket, Instant now, const RateAnswer& answer);
  void give_back(const QuotaTicket& ticket) { quota_.give_back(ticket); }
  // The server said so of something that had no ticket: from now on there is a limit, which is
  // looked for from below. Once it is followed nothing changes.
  void begin_to_follow(Instant now);

  // How long the server has said nothing else than that messages come too fast.
  [[nodiscard]] Duration refused_for(Instant now) const;

  // Recipients that fit into one transaction.
  [[nodiscard]] std::uint64_t recipients_max() const { return quota_.recipients_max(); }
  // The limit that was found out and has held since, in units of found_unit().
  [[nodiscard]] std::optional<RateWindow> found() const;
  [[nodiscard]] QuotaUnit found_unit() const { return unit_; }

 private:
  [[nodiscard]] std::uint64_t units_of(const QuotaAmounts& amounts) const;
  [[nodiscard]] Instant ask_control(Instant now);
  void tell_control(const QuotaTicket& ticket, Instant now, const RateAnswer& answer);

  const std::optional<QuotaLimit> configured_;
  const QuotaUnit unit_;
  RateControlOptions options_;
  queue::QuotaMemory& memory_;
  Quota quota_;
  std::atomic<bool> follows_;

  mutable std::mutex mutex_;  // guards all below
  std::unique_ptr<RateControl> control_;
  std::optional<RateWindow> said_;  // to the quota
  Instant begins_at_ = Instant::min();
  Instant refused_since_ = never;
  std::optional<RateWindow> noted_;  // as found
};

}  // namespace ringpost::engine
