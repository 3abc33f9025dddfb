// Counts the allocations of a test program that is linked with counted_new.cpp.
#pragma once

#include <cstddef>

namespace ringpost::test {

// By operator new, of every thread.
[[nodiscard]] std::size_t allocations_so_far();

}  // namespace ringpost::test
