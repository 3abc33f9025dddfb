#include "tls/record_memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace ringpost::tls::test {

TEST_CASE("record memory: a freed block is handed out again to who asks for as much") {
  const std::size_t bytes = GENERATE(1u, 64u, 65u, 1024u, 1025u, 2100u, 16406u, 17408u);
  CAPTURE(bytes);
  void* first = allocate_record_memory(bytes);
  REQUIRE(first != nullptr);
  CHECK(reinterpret_cast<std::uintptr_t>(first) % alignof(std::max_align_t) == 0);
  std::memset(first, 1, bytes);
  release_record_memory(first);
  for (int count = 0; count < 3; ++count) {
    void* again = allocate_record_memory(bytes);
    CHECK(again == first);
    release_record_memory(again);
  }
}

TEST_CASE("record memory: blocks in use are all different, and as large as was asked for") {
  std::set<void*> blocks;
  for (std::size_t bytes = 0; bytes < 20000; bytes += 37) {
    for (int count = 0; count < 3; ++count) {
      void* block = allocate_record_memory(bytes);
      REQUIRE(block != nullptr);
      std::memset(block, 1, bytes);
      CHECK(blocks.insert(block).second);
    }
  }
  // Freed and asked for in another order: no block may be handed out for more than it holds.
  for (void* block : blocks) {
    release_record_memory(block);
  }
  for (std::size_t bytes = 20000; bytes > 100; bytes -= 41) {
    void* block = allocate_record_memory(bytes);
    std::memset(block, 1, bytes);
    release_record_memory(block);
  }
}

TEST_CASE("record memory: it takes back what is not its own, and nothing") {
  release_record_memory(nullptr);
  for (const std::size_t bytes : {1u, 63u, 64u, 100u, 1000u, 5000u, 100000u}) {
    release_record_memory(std::malloc(bytes));
    void* block = allocate_record_memory(bytes);
    std::memset(block, 1, bytes);
    std::free(block);
  }
}

TEST_CASE("record memory: a thread keeps its own blocks and leaves none behind") {
  void* mine = allocate_record_memory(2000);
  release_record_memory(mine);
  std::thread([mine] {
    void* other = allocate_record_memory(2000);
    CHECK(other != mine);
    release_record_memory(other);
  }).join();
  CHECK(allocate_record_memory(2000) == mine);
  release_record_memory(mine);
}

}  // namespace ringpost::tls::test
