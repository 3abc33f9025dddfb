// Hints to the processor that a delivery will be wanted soon. It goes from core to core: reader,
// worker, outcome thread; whoever takes it over finds it in another one's cache, and would wait for
// each line of it in turn. A hint costs as well: each names what its stage will touch.
#pragma once

#include <cstddef>

#include "codec/job/delivery.h"

namespace ringpost::codec {

inline void prefetch(const void* begin, std::size_t bytes) {
  for (std::size_t offset = 0; offset < bytes; offset += cache_line_bytes) {
    __builtin_prefetch(static_cast<const char*>(begin) + offset, 1);
  }
}

// These are for what a delivery points to, when it is near itself. What is said to a server:
inline void prefetch_texts(const Delivery& delivery) {
  const Message& message = *delivery.message;
  prefetch(message.sender.data(), 1);
  prefetch(message.recipients.data(), 1);
  prefetch(message.content.own_data(), 1);
}
// What becomes of it:
inline void prefetch_fate(const Delivery& delivery) {
  prefetch(delivery.recipients.data(), sizeof(Recipient));
}

}  // namespace ringpost::codec
