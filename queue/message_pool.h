// Empty messages, and the bound on full ones: where back-pressure comes from.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "queue/consignment.h"
#include <ringpost/limits.h>

namespace ringpost::queue {

struct MessagePoolOptions {
  std::size_t messages_max = limits::jobs_in_flight_max;
  std::size_t bytes_max = limits::job_bytes_in_flight_max;
  // Deliveries that are not set aside. A few messages are used again while they still are in the
  // cache of a core; thousands in turn never are.
  std::size_t deliveries_active_max = limits::jobs_in_flight_max;
};

// Owns every message of an engine. One is out from acquire() until its last delivery is given back,
// and counts against the bounds for that time; whoever wants another waits. The bounds on bytes and
// deliveries are soft by what each thread that submits has filled and not charged yet: the size of
// a message is known only when it has been read. What messages share counts once, from the first
// that is charged until the last is back. Messages that are not out keep their buffers for the next
// one, and together no more than the bound on bytes. All calls are thread-safe.
class MessagePool {
 public:
  explicit MessagePool(const MessagePoolOptions& options) : options_(options) {}
  MessagePool(const MessagePool&) = delete;
  MessagePool& operator=(const MessagePool&) = delete;

  // A cleared one, with one delivery. Waits while a bound is reached; null after close().
  [[nodiscard]] Consignment* acquire();
  // The same without waiting; null when it would have to.
  [[nodiscard]] Consignment* try_acquire();
  // Several at once: fills the front of `consignments`, as far as there is room, and says how many.
  [[nodiscard]] std::size_t try_acquire(std::span<Consignment*> consignments);
  // Sets what a message counts for, now that it is filled and divided, without what it shares, and
  // says it. Once, and of the thread that has filled it.
  [[nodiscard]] static std::size_t measure(Consignment& consignment);
  // Counts messages that were measured. Once, and before any of their deliveries leaves.
  void charge(std::span<Consignment* const> consignments);
  // A delivery that waits for another attempt is no active one, until it is taken up again: those
  // that can go on pass it by.
  void set_aside();
  void take_up();
  // Takes back deliveries that are not set aside, of one that was never charged the first one. What
  // they say is lost.
  void give_back(std::span<Delivery* const> deliveries);
  // Nobody waits any more.
  void close();
  // Waits until every message is back, or until `deadline`; says whether they are.
  [[nodiscard]] bool wait_until_idle(Instant deadline);
  [[nodiscard]] std::size_t messages_out() const;
  // Whether anybody waits in acquire().
  [[nodiscard]] bool someone_waits() const { return waiting_.load(std::memory_order_relaxed) > 0; }

 private:
  [[nodiscard]] bool has_room() const {
    return messages_out_ < options_.messages_max && bytes_out_ < options_.bytes_max &&
           deliveries_out_ - deliveries_aside_ < options_.deliveries_active_max;
  }
  [[nodiscard]] Consignment* take();
  void take_back(Consignment& consignment);

  // Its buffers' octets stand beside it: whoever takes one does not look into it under the lock.
  struct FreeMessage {
    Consignment* consignment;
    std::size_t bytes;
  };

  MessagePoolOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable idle_;
  std::vector<std::unique_ptr<Consignment>> messages_;
  std::vector<FreeMessage> free_;
  // Of those the next to be taken, the last of them first. They are a list of their own, so that it
  // is known which comes next, whatever comes back meanwhile.
  std::vector<FreeMessage> next_;
  std::size_t messages_out_ = 0;
  std::size_t deliveries_out_ = 0;    // of those
  std::size_t deliveries_aside_ = 0;  // of these
  std::size_t bytes_out_ = 0;
  std::size_t bytes_free_ = 0;  // buffers that free messages keep for the next one
  std::atomic<std::size_t> waiting_{0};  // written under the lock
  bool closed_ = false;
};

}  // namespace ringpost::queue
