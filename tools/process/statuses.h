// Every status, in the order in which reports tell of them.
#pragma once

#include <array>
#include <cstddef>

#include <ringpost/outcome.h>

namespace ringpost::cli {

inline constexpr std::array<Status, status_count> statuses = [] {
  std::array<Status, status_count> all{};
  for (std::size_t index = 0; index < all.size(); ++index) {
    all[index] = static_cast<Status>(index);
  }
  return all;
}();

}  // namespace ringpost::cli
