// How often in a row an endpoint has refused something in the words of a rule whose action is not
// taken at the first time. Nothing is locked as long as no such rule fits.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace ringpost::protocol {
struct ReplyRule;
}

namespace ringpost::engine {

// Thread-safe.
class RuleRepeats {
 public:
  // Once more; how often by now. `rule`: null for the general ones.
  [[nodiscard]] std::uint32_t said(const protocol::ReplyRule* rule) {
    const std::lock_guard lock(mutex_);
    are_any_.store(true, std::memory_order_relaxed);
    return ++counts_[rule];
  }
  // Something was accepted.
  void broken() {
    if (are_any_.load(std::memory_order_relaxed)) {
      const std::lock_guard lock(mutex_);
      counts_.clear();
      are_any_.store(false, std::memory_order_relaxed);
    }
  }

 private:
  std::atomic<bool> are_any_{false};
  std::mutex mutex_;
  std::unordered_map<const protocol::ReplyRule*, std::uint32_t> counts_;
};

}  // namespace ringpost::engine
