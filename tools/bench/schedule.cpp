// Each moment is computed from the start, so that nothing adds up. A double holds days of
// nanoseconds exactly.
#include "tools/bench/schedule.h"

#include <chrono>
#include <cmath>

namespace ringpost::cli {

namespace {

constexpr double ns_per_second = 1e9;

}  // namespace

Instant Schedule::due_at(std::uint64_t number) const {
  const double ns = static_cast<double>(number) * ns_per_second / per_second_;
  return start_ + std::chrono::nanoseconds(std::llround(ns));
}

std::uint64_t Schedule::count_within(Duration time) const {
  const double seconds = std::chrono::duration<double>(time).count();
  // Not one more for what rounding has added to a whole number.
  return static_cast<std::uint64_t>(std::ceil(seconds * per_second_ - 1e-9));
}

}  // namespace ringpost::cli
