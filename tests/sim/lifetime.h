// When a simulated process dies.
#pragma once

#include <cstdint>

#include "tests/sim/random.h"

namespace ringpost::sim {

// What is left of an act of a process.
enum class Act : std::uint8_t { done, begun, void_ };

// Counts what a process does to the world outside: each octet string that it gives to the kernel,
// each write and each sync. At one of them it dies, before or in the middle of it. Whatever it does
// from then on, while its objects are taken apart, is void.
class Lifetime {
 public:
  static constexpr std::uint64_t endless = ~std::uint64_t{0};

  Lifetime(std::uint64_t acts_left, Random& random) : acts_left_(acts_left), random_(random) {}

  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] std::uint64_t acts() const { return acts_; }
  void die() { alive_ = false; }

  // Before each of them: how much of it comes to pass. `begun`: as much as its kind of thing may be
  // done in part, and it is the last.
  [[nodiscard]] Act act() {
    if (!alive_) {
      return Act::void_;
    }
    ++acts_;
    if (acts_left_ == endless || acts_left_-- > 0) {
      return Act::done;
    }
    alive_ = false;
    return random_.one_in(2) ? Act::begun : Act::void_;
  }

 private:
  std::uint64_t acts_left_;
  Random& random_;
  std::uint64_t acts_ = 0;
  bool alive_ = true;
};

}  // namespace ringpost::sim
