// What a worker did, counted by itself and read by anybody.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "codec/outcome.h"

namespace ringpost::engine {

// One writer, any number of readers, no lock: readers may see one counter a little ahead of
// another.
class Counter {
 public:
  void add(std::uint64_t count) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct WorkerStats {
  Counter messages;       // transactions that ended with a reply or a loss
  Counter content_bytes;  // of accepted messages
  Counter sessions_opened;
  Counter sessions_ready;    // that came as far as taking messages
  Counter sessions_resumed;  // TLS handshakes shortened by a ticket
  Counter turns;
  Counter ring_enters;
};

}  // namespace ringpost::engine
