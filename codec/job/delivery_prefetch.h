// Hints to the processor that a delivery will be wanted soon. It goes from core to core: reader,
// worker, outcome thread; whoever takes it over finds it in another one's cache, and would wait for
// each line of it in turn. A hint costs as well: each names what its stage will touch.
#pragma once

#include <cstddef>

#include "codec/job/delivery.h"

namespace ringpost::codec {

// All that is touched here is written soon, so the line is asked for as one's own: asked for as a
// shared one, it would be waited for again at the first store. GCC's builtin says so only when it
// is told of a newer processor; the instruction itself does nothing on those that lack it.
inline void prefetch_line(const void* line) {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(line)));
#else
  __builtin_prefetch(line, 1);
#endif
}

inline void prefetch(const void* begin, std::size_t bytes) {
  for (std::size_t offset = 0; offset < bytes; offset += cache_line_bytes) {
    prefetch_line(static_cast<const char*>(begin) + offset);
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
