// A bounded run of octets that is filled at its end and taken from its front.
#pragma once

#include <cstring>
#include <string_view>

#include <ringpost/base.h>

namespace ringpost {

// Does not own its memory: a slab of a pool, lent for as long as octets stand in it. It never
// grows; whoever fills it asks room() first. Views handed out die at the next append or consume.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(char* memory, std::size_t capacity) : memory_(memory), capacity_(capacity) {}

  [[nodiscard]] Bytes bytes() const { return {memory_ + begin_, end_ - begin_}; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  // Octets that still fit behind the last one.
  [[nodiscard]] std::size_t room() const { return capacity_ - end_; }
  [[nodiscard]] char* memory() const { return memory_; }
  // Where the next octet goes, for those that are written there and then said to be appended().
  [[nodiscard]] char* end() const { return memory_ + end_; }

  void append(Bytes bytes) {
    RP_ASSERT(bytes.size() <= room());
    if (!bytes.empty()) {
      std::memcpy(memory_ + end_, bytes.data(), bytes.size());
      end_ += bytes.size();
    }
  }
  // Octets that were written straight behind the last one.
  void appended(std::size_t count) {
    RP_ASSERT(count <= room());
    end_ += count;
  }
  void consume(std::size_t count) {
    RP_ASSERT(count <= size());
    begin_ += count;
    if (begin_ == end_) {
      begin_ = end_ = 0;
    }
  }
  void clear() { begin_ = end_ = 0; }

 private:
  char* memory_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace ringpost
