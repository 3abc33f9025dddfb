#include "engine/io/buffer_pool.h"

namespace ringpost::io {

ByteBuffer BufferPool::lend() {
  RP_ASSERT(available());
  if (free_.empty()) {
    // Default-initialised on purpose: every octet is written before it is read.
    slabs_.push_back(std::unique_ptr<char[]>(new char[slab_bytes_]));
    free_.push_back(slabs_.back().get());
  }
  char* const memory = free_.back();
  free_.pop_back();
  return {memory, slab_bytes_};
}

void BufferPool::give_back(ByteBuffer& buffer) {
  RP_ASSERT(buffer.memory() != nullptr);
  free_.push_back(buffer.memory());
  buffer = ByteBuffer();
}

}  // namespace ringpost::io
