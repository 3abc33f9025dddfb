// Whose turn it is among a few, each with a share by weight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace ringpost::engine {

// Smooth: with weights 2 and 1 it goes a, b, a. Who may not have a turn neither gains by it nor
// owes anything afterwards. Thread: one.
class WeightedTurns {
 public:
  void add(std::uint32_t weight) { all_.push_back({weight}); }

  // The index of the next one of those that `may(index)` lets have it; nothing: of none.
  template <typename May>
  [[nodiscard]] std::optional<std::size_t> next(const May& may) {
    std::optional<std::size_t> best;
    std::int64_t total = 0;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (!may(i)) {
        continue;
      }
      all_[i].credit += all_[i].weight;
      total += all_[i].weight;
      if (!best || all_[i].credit > all_[*best].credit) {
        best = i;
      }
    }
    if (best) {
      all_[*best].credit -= total;
    }
    return best;
  }

 private:
  struct One {
    std::int64_t weight = 0;
    std::int64_t credit = 0;
  };
  std::vector<One> all_;
};

}  // namespace ringpost::engine
