// Octets that all connections together may have waiting: see bytes_waiting_max.
#pragma once

#include <atomic>
#include <cstddef>

#include "tools/serve/http/http_limits.h"

namespace ringpost::http {

// Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t most = bytes_waiting_max) : left_(most) {}
  [[nodiscard]] std::size_t left() const { return left_.load(std::memory_order_relaxed); }

 private:
  friend class BudgetShare;
  [[nodiscard]] bool take(std::size_t bytes) {
    std::size_t left = left_.load(std::memory_order_relaxed);
    do {
      if (bytes > left) {
        return false;
      }
    } while (!left_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed));
    return true;
  }
  void give_back(std::size_t bytes) { left_.fetch_add(bytes, std::memory_order_relaxed); }

  std::atomic<std::size_t> left_;
};

// What one use of a connection has of it. One thread at a time. Lifetime: the budget outlives it.
class BudgetShare {
 public:
  explicit BudgetShare(ByteBudget& budget) : budget_(budget) {}
  ~BudgetShare() { budget_.give_back(counted_); }
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;

  // Has `bytes` from now on; false: there is not so much, and it has what it had.
  [[nodiscard]] bool resize(std::size_t bytes) {
    const std::size_t wanted =
        bytes > bytes_waiting_uncounted ? bytes - bytes_waiting_uncounted : 0;
    if (wanted > counted_ && !budget_.take(wanted - counted_)) {
      return false;
    }
    if (wanted < counted_) {
      budget_.give_back(counted_ - wanted);
    }
    counted_ = wanted;
    return true;
  }

 private:
  ByteBudget& budget_;
  std::size_t counted_ = 0;
};

}  // namespace ringpost::http
