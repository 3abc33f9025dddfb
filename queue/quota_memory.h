// Where the logs of an endpoint's quotas stand: in this process alone, or in a file that several
// processes share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "queue/quota_log.h"
#include <ringpost/quota.h>

namespace ringpost::queue {

// One log for each unit and period, and one for the rate that is found out while sending.
inline constexpr std::size_t quota_logs = quota_units * quota_periods + 1;
inline constexpr std::size_t found_rate_log = quota_logs - 1;

[[nodiscard]] constexpr std::size_t log_index(QuotaUnit unit, QuotaPeriod period) {
  return static_cast<std::size_t>(unit) * quota_periods + static_cast<std::size_t>(period);
}

using QuotaLogs = std::array<QuotaLog, quota_logs>;

// What was found out about an endpoint while sending. Zero: not known.
struct LearntLimits {
  std::uint64_t rate_amount = 0;
  std::int64_t rate_length_ns = 0;
  std::uint64_t rate_unit = 0;  // as QuotaUnit
  std::uint64_t sessions_max = 0;
  std::uint64_t session_messages_max = 0;
  std::uint64_t transaction_recipients_max = 0;
  std::int64_t idle_end_ns = 0;
  std::int64_t learnt_at_unix_ns = 0;
  bool operator==(const LearntLimits&) const = default;
};

// The logs are read and changed by whoever has the lock. Can be given to std::lock_guard.
class QuotaMemory {
 public:
  QuotaMemory() = default;
  QuotaMemory(const QuotaMemory&) = delete;
  QuotaMemory& operator=(const QuotaMemory&) = delete;
  virtual ~QuotaMemory() = default;

  virtual void lock() = 0;
  virtual void unlock() = 0;
  // They stay where they are as long as the memory lives.
  [[nodiscard]] virtual const QuotaLogs& logs() const = 0;
  // To be changed by whoever has the lock, until unlock().
  [[nodiscard]] virtual QuotaLog& log(std::size_t index) = 0;

  // Both take the lock themselves.
  [[nodiscard]] virtual LearntLimits learnt() = 0;
  virtual void set_learnt(const LearntLimits& learnt) = 0;
};

// Of this process, gone with it.
class PrivateQuotaMemory final : public QuotaMemory {
 public:
  PrivateQuotaMemory() : logs_(std::make_unique<QuotaLogs>()) {}

  void lock() override { mutex_.lock(); }
  void unlock() override { mutex_.unlock(); }
  [[nodiscard]] const QuotaLogs& logs() const override { return *logs_; }
  [[nodiscard]] QuotaLog& log(std::size_t index) override { return (*logs_)[index]; }
  [[nodiscard]] LearntLimits learnt() override {
    const std::lock_guard held(mutex_);
    return learnt_;
  }
  void set_learnt(const LearntLimits& learnt) override {
    const std::lock_guard held(mutex_);
    learnt_ = learnt;
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<QuotaLogs> logs_;
  LearntLimits learnt_;
};

}  // namespace ringpost::queue
