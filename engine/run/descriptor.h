// A file descriptor that is closed with its owner.
#pragma once

#include <unistd.h>

namespace ringpost::run {

class Descriptor {
 public:
  // Takes what open(2) and its like return; below 0 there is none.
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  [[nodiscard]] int get() const { return number_; }
  // Closes it, and takes another.
  void reset(int number = -1) {
    if (number_ >= 0) {
      ::close(number_);
    }
    number_ = number;
  }

 private:
  int number_;
};

}  // namespace ringpost::run
