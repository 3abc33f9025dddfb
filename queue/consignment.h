// A message and its deliveries: what the pool hands out, and takes back when everybody was told.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/job/delivery.h"
#include "codec/job/delivery_prefetch.h"
#include <ringpost/message.h>
#include <ringpost/outcome.h>

namespace ringpost {

// Filled by whoever submits, divided into deliveries, and immutable from then on but for these. The
// first delivery lies in it, since nearly all messages have no other.
//
// Lifetime and ownership: it comes from a MessagePool, which has it back with its last delivery.
struct alignas(cache_line_bytes) Consignment {
  // What a worker needs of every message stands in front: it comes from another core's cache.
  Delivery first;
  // Where a session was lost last that was busy with any delivery of it; `local`: nowhere, or a
  // server has answered since. Relaxed: those who read it look at nothing else of each other's.
  std::atomic<Stage> loss_stage{Stage::local};
  // The pool's: nothing of its memory is to be freed when it comes back, nor is anything shared.
  bool is_light = false;
  std::uint32_t deliveries_left = 1;  // the pool's, under its lock
  Message message;
  std::vector<Delivery> further;
  // Of each recipient. Empty: nobody has heard of this message before.
  std::vector<PriorFate> fates;
  // Of each recipient that is left out, in their order.
  std::vector<LeftOut> left_out;

  Consignment() {
    first.message = &message;
    first.consignment = this;
  }
  Consignment(const Consignment&) = delete;
  Consignment& operator=(const Consignment&) = delete;

  [[nodiscard]] std::size_t delivery_count() const { return 1 + further.size(); }
  [[nodiscard]] Delivery& delivery(std::size_t index) {
    return index == 0 ? first : further[index - 1];
  }
  [[nodiscard]] PriorFate fate(std::size_t recipient) const {
    return fates.empty() ? PriorFate::none : fates[recipient];
  }
  // Ready for another message: everything empty, capacity kept up to limits::job_bytes_kept_max.
  void clear();
  // Frees what an unusually large message has swollen. What it says is lost; clear() does the rest.
  void give_up_memory();
  // Whether give_up_memory() would find nothing to do, now and when all is told.
  [[nodiscard]] bool keeps_memory() const;
  // What its buffers and those of the first delivery hold of memory, full or empty.
  [[nodiscard]] std::size_t buffer_bytes() const;
};

// Outcomes that all recipients of a message share of which nothing is sent, however many they are,
// by what an earlier run has left of them: recipients[i] of its only delivery. Behind them stands
// one for each that is left out.
enum class SharedOutcome : std::uint8_t { decided, in_doubt, earlier_doubt };
inline constexpr std::size_t shared_outcome_count = 3;

// Among those of the message that are left out. Precondition: it is.
[[nodiscard]] std::size_t left_out_index(const Consignment& consignment, std::size_t recipient);
// Of a recipient of the delivery that was not told by an earlier run.
[[nodiscard]] const Outcome& outcome_of(const Delivery& delivery, std::size_t index);

// Hints to the processor (codec/job/delivery_prefetch.h): a delivery and its message, and nothing
// that they point to, as far as it is filled, sent, or told of.
inline void prefetch_to_fill(const Consignment& consignment) {
  codec::prefetch(&consignment, sizeof(Consignment));
}
// As if it were the first, which lies in front of its message: whether it is, it would have to be
// asked, and that is what takes long. The message of further ones has been near since their first.
inline void prefetch_to_send(const Delivery& delivery) {
  codec::prefetch(&delivery,
                  offsetof(Consignment, message) + offsetof(Message, recipients) + sizeof(Bytes));
}
inline void prefetch_to_tell(const Delivery& delivery) {
  codec::prefetch(&delivery, offsetof(Consignment, message) + offsetof(Message, dsn));
}

}  // namespace ringpost
