// Send buffers: slabs of one size, lent to sessions for as long as they have octets to send.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "codec/text/byte_buffer.h"

namespace ringpost::io {

// An idle session holds no slab, so that ten thousand of them cost nothing here. Thread: one
// worker's.
class BufferPool {
 public:
  BufferPool(std::size_t slab_bytes, std::size_t slabs_max)
      : slab_bytes_(slab_bytes), slabs_max_(slabs_max) {}

  [[nodiscard]] std::size_t slab_bytes() const { return slab_bytes_; }
  // Whether lend() can be called: when not, the session waits for another one's send to complete.
  [[nodiscard]] bool available() const { return !free_.empty() || slabs_.size() < slabs_max_; }
  // An empty buffer over a slab. Precondition: available().
  [[nodiscard]] ByteBuffer lend();
  // The buffer's slab is free again; nothing may point into it any more.
  void give_back(ByteBuffer& buffer);

 private:
  std::size_t slab_bytes_;
  std::size_t slabs_max_;
  std::vector<std::unique_ptr<char[]>> slabs_;
  std::vector<char*> free_;
};

}  // namespace ringpost::io
