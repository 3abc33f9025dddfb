// The problem: sends come and go all the time, and what they borrow has to be there without an
// allocation. The idea: slabs are made when they are first wanted and then lent again and again,
// the last one that came back first, as it may still be in the cache. Limits: slabs are freed with
// the pool and not before; that a buffer is given back to the pool it came from is its user's care.
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
