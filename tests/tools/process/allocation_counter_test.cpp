#include "tools/process/allocation_counter.h"

#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::cli {

namespace {

// Where the compiler cannot see that a block is not used.
void* volatile seen = nullptr;

void allocate_in_many_ways() {
  seen = std::malloc(100);
  seen = std::realloc(seen, 5000);
  std::free(seen);
  seen = std::calloc(3, 50);
  std::free(seen);
  seen = ::operator new(64);
  ::operator delete(seen);
  seen = ::operator new(64, std::align_val_t(64));
  CHECK(reinterpret_cast<std::uintptr_t>(seen) % 64 == 0);
  ::operator delete(seen, std::align_val_t(64));
  seen = new char[100];
  delete[] static_cast<char*>(seen);
}

}  // namespace

TEST_CASE("allocation counter: every way to ask for memory is counted, for its thread alone") {
  const auto count = allocation_counter();
  if (count == nullptr) {
    SKIP("a sanitizer has a malloc of its own");
  }
  const std::uint64_t before = count();
  allocate_in_many_ways();
  CHECK(count() - before == 6);
  std::uint64_t of_other_thread = 0;
  const std::uint64_t here = count();
  std::thread other([&] {
    const std::uint64_t at_first = count();
    allocate_in_many_ways();
    of_other_thread = count() - at_first;
  });
  other.join();
  CHECK(of_other_thread == 6);
  CHECK(count() - here < 6);  // std::thread's own
}

TEST_CASE("allocation counter: what standard containers ask for is counted") {
  const auto count = allocation_counter();
  if (count == nullptr) {
    SKIP("a sanitizer has a malloc of its own");
  }
  const std::uint64_t before = count();
  std::string text(1000, 'x');
  seen = text.data();
  CHECK(count() - before == 1);
  text.clear();
  text.append(900, 'y');
  CHECK(count() - before == 1);
}

}  // namespace ringpost::cli
