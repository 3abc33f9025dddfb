// The octets of a fuzz target as the choices and texts that the target asks for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include <ringpost/base.h>

namespace ringpost::fuzz {

// Takes from the front; behind the end everything is zero and empty, so that every input means
// something. Views point into the input.
class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::uint8_t octet() {
    const Bytes one = bytes(1);
    return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
  }
  [[nodiscard]] bool flag() { return (octet() & 1u) != 0; }
  // From 0 to `max`. Precondition: max < 256.
  [[nodiscard]] unsigned up_to(unsigned max) { return octet() % (max + 1); }
  // As many octets as there are, `count` at most.
  [[nodiscard]] Bytes bytes(std::size_t count) {
    const Bytes taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  [[nodiscard]] Bytes rest() { return bytes(rest_.size()); }
  // What stands before the next `separator`, which is taken, too.
  [[nodiscard]] Bytes until(char separator) {
    const Bytes taken = bytes(std::min(rest_.find(separator), rest_.size()));
    rest_.remove_prefix(rest_.empty() ? 0 : 1);
    return taken;
  }

 private:
  Bytes rest_;
};

// Memory of its own, without an octet to spare, so that a sanitizer sees whoever reads on.
[[nodiscard]] inline std::string own_copy(Bytes text) {
  std::string copy(text);
  copy.shrink_to_fit();
  return copy;
}

}  // namespace ringpost::fuzz

// A target's one function. It checks with RP_ASSERT, which ends the program with file and line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
