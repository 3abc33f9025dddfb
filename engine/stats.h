// What a worker did, counted by itself and read by anybody.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include <ringpost/outcome.h>

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

  // What connections did with the octets that they sent.
  Counter tls_records;
  Counter bytes_copied;  // in user space, by us and by wolfSSL, between a job and the kernel

  // As of the ring's own counters and the thread's allocations, after each turn.
  Counter ring_enters;
  Counter ring_submitted;
  Counter ring_completions;
  Counter receives;
  Counter sends;
  Counter send_bytes;
  Counter receive_buffers_exhausted;
  Counter completion_overflows;
  Counter allocations;
};

}  // namespace ringpost::engine
