// A queue that is filled and emptied all the time without asking for memory again.
#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::codec {

// First in, first out, in one block that grows to the longest queue there was and stays there:
// std::deque asks for a block every few dozen elements and gives one back as often.
template <typename T>
class ReusableQueue {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] T& front() {
    RP_ASSERT(count_ > 0);
    return elements_[begin_];
  }

  void push_back(const T& element) {
    make_room();
    elements_[place(count_)] = element;
    ++count_;
  }
  void push_front(const T& element) {
    make_room();
    begin_ = place(elements_.size() - 1);
    elements_[begin_] = element;
    ++count_;
  }
  void pop_front() {
    RP_ASSERT(count_ > 0);
    begin_ = place(1);
    --count_;
  }
  // Takes out every element that equals this one; the others keep their order.
  void erase(const T& element) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (!(elements_[place(i)] == element)) {
        elements_[place(kept++)] = elements_[place(i)];
      }
    }
    count_ = kept;
  }

 private:
  // The size is a power of two.
  [[nodiscard]] std::size_t place(std::size_t index) const {
    return (begin_ + index) & (elements_.size() - 1);
  }
  void make_room() {
    if (count_ < elements_.size()) {
      return;
    }
    constexpr std::size_t size_first = 16;
    std::vector<T> larger(elements_.empty() ? size_first : elements_.size() * 2);
    for (std::size_t i = 0; i < count_; ++i) {
      larger[i] = elements_[place(i)];
    }
    elements_.swap(larger);
    begin_ = 0;
  }

  std::vector<T> elements_;
  std::size_t begin_ = 0;
  std::size_t count_ = 0;
};

}  // namespace ringpost::codec
