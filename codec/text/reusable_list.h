// A list that is filled and emptied many times without giving its elements' memory back.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::codec {

// T has a clear() that keeps capacity. Owns its elements; references die at the next add().
template <typename T>
class ReusableList {
 public:
  // A cleared element at the end.
  T& add() {
    if (count_ == elements_.size()) {
      elements_.emplace_back();
    }
    T& element = elements_[count_++];
    element.clear();
    return element;
  }

  void remove_last() {
    RP_ASSERT(count_ > 0);
    --count_;
  }

  // Forgets the elements. Those beyond `kept_max` are freed, so that one large list is not kept for
  // ever.
  void clear(std::size_t kept_max = 16) {
    count_ = 0;
    if (elements_.size() > kept_max) {
      elements_.resize(kept_max);
      elements_.shrink_to_fit();
    }
  }

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] T& operator[](std::size_t index) { return elements_[index]; }
  [[nodiscard]] std::span<const T> span() const { return {elements_.data(), count_}; }
  [[nodiscard]] std::span<T> span() { return {elements_.data(), count_}; }

 private:
  std::vector<T> elements_;
  std::size_t count_ = 0;
};

}  // namespace ringpost::codec
