// Chance that one seed decides.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include <ringpost/base.h>

namespace ringpost::sim {

// The numbers of std::mt19937_64 are the same everywhere, those of the standard's distributions are
// not: so they are not used.
class Random {
 public:
  explicit Random(std::uint64_t seed) : numbers_(seed) {}

  [[nodiscard]] std::uint64_t next() { return numbers_(); }
  // From 0 to `end` - 1. Precondition: end > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t end) { return numbers_() % end; }
  [[nodiscard]] std::uint64_t between(std::uint64_t first, std::uint64_t last) {
    return first + below(last - first + 1);
  }
  [[nodiscard]] bool one_in(std::uint64_t n) { return below(n) == 0; }
  // One time in n, and never for 0.
  [[nodiscard]] bool sometimes(std::uint64_t n) { return n != 0 && one_in(n); }
  [[nodiscard]] Duration duration_up_to(Duration longest) {
    return Duration(below(static_cast<std::uint64_t>(longest.count()) + 1));
  }
  // Everything in half of the cases, else any number from 0 on.
  [[nodiscard]] std::size_t piece_of(std::size_t available) {
    return available == 0 || one_in(2) ? available : below(available + 1);
  }

 private:
  std::mt19937_64 numbers_;
};

}  // namespace ringpost::sim
