// How often something took how long, for one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ringpost::cli {

// In the buckets of engine::TimeHistogram, up to the longest that came: a copy costs little.
class TimeCounts {
 public:
  // Precondition: not negative.
  void note(double ms);
  void add(const TimeCounts& other);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Milliseconds that this share of them, 0 to 1, did not take longer than. Precondition: count().
  [[nodiscard]] double at_share(double share) const;

 private:
  std::vector<std::uint32_t> buckets_;
  std::uint64_t count_ = 0;
};

}  // namespace ringpost::cli
