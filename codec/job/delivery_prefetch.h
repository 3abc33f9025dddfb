// Hints to the processor that a delivery will be wanted soon. It goes from core to core: reader,
// worker, outcome thread; whoever takes it over finds it in another one's cache, and would wait for
// each line of it in turn.
#pragma once

#include <cstddef>

#include "codec/job/delivery.h"

namespace ringpost::codec {

inline void prefetch(const void* begin, std::size_t bytes) {
  constexpr std::size_t cache_line_bytes = 64;
  for (std::size_t offset = 0; offset < bytes; offset += cache_line_bytes) {
    __builtin_prefetch(static_cast<const char*>(begin) + offset, 1);
  }
}

// What it points to and every stage looks at; to be called when it is near itself.
inline void prefetch_parts(const Delivery& delivery) {
  prefetch(delivery.recipients.data(), sizeof(Recipient));
  prefetch(delivery.message->sender.data(), 1);
  prefetch(delivery.message->recipients.data(), 1);
  prefetch(delivery.message->content.own_data(), 1);
}

}  // namespace ringpost::codec
