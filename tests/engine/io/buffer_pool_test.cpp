#include "engine/io/buffer_pool.h"

#include <set>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using io::BufferPool;

TEST_CASE("buffer pool: slabs are lent up to the bound, each to one only") {
  BufferPool pool(128, 3);
  CHECK(pool.slab_bytes() == 128);
  std::vector<ByteBuffer> lent;
  std::set<char*> memories;
  while (pool.available()) {
    lent.push_back(pool.lend());
    CHECK(lent.back().empty());
    CHECK(lent.back().room() == 128);
    memories.insert(lent.back().memory());
  }
  CHECK(lent.size() == 3);
  CHECK(memories.size() == 3);
}

TEST_CASE("buffer pool: a slab that came back is lent again, empty") {
  BufferPool pool(128, 1);
  ByteBuffer buffer = pool.lend();
  char* const memory = buffer.memory();
  buffer.append("octets");
  CHECK_FALSE(pool.available());
  pool.give_back(buffer);
  CHECK(buffer.memory() == nullptr);
  CHECK(buffer.room() == 0);
  REQUIRE(pool.available());
  ByteBuffer again = pool.lend();
  CHECK(again.memory() == memory);
  CHECK(again.empty());
  CHECK(again.room() == 128);
  pool.give_back(again);
}

TEST_CASE("buffer pool: memory is taken when it is lent, and the latest returned goes first") {
  BufferPool pool(64, 1'000'000'000);
  ByteBuffer first = pool.lend();
  ByteBuffer second = pool.lend();
  char* const warm = second.memory();
  pool.give_back(first);
  pool.give_back(second);
  CHECK(pool.lend().memory() == warm);
}

TEST_CASE("buffer pool: the whole of a slab can be written") {
  BufferPool pool(4096, 2);
  ByteBuffer buffer = pool.lend();
  buffer.append(std::string(4096, 'x'));
  CHECK(buffer.room() == 0);
  CHECK(buffer.bytes() == std::string(4096, 'x'));
  pool.give_back(buffer);
}

TEST_CASE("buffer pool: a bound of nothing lends nothing") {
  CHECK_FALSE(BufferPool(128, 0).available());
}
