#include "codec/text/reusable_queue.h"

#include <deque>
#include <random>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

namespace ringpost::codec {

TEST_CASE("reusable queue: it does what a deque does, whatever is done to it") {
  const unsigned seed = GENERATE(range(1U, 21U));
  CAPTURE(seed);
  std::minstd_rand random(seed);
  ReusableQueue<int> queue;
  std::deque<int> expected;
  for (int step = 0; step < 3000; ++step) {
    const int value = static_cast<int>(random() % 20);
    switch (random() % (seed % 2 == 0 ? 5 : 4)) {
      case 0:
        queue.push_front(value);
        expected.push_front(value);
        break;
      case 1:
        queue.push_back(value);
        expected.push_back(value);
        break;
      case 2:
        if (random() % 8 == 0) {
          queue.erase(value);
          std::erase(expected, value);
        }
        break;
      default:
        if (!expected.empty()) {
          queue.pop_front();
          expected.pop_front();
        }
    }
    REQUIRE(queue.size() == expected.size());
    REQUIRE(queue.empty() == expected.empty());
    if (!expected.empty()) {
      REQUIRE(queue.front() == expected.front());
    }
  }
  while (!queue.empty()) {
    CHECK(queue.front() == expected.front());
    queue.pop_front();
    expected.pop_front();
  }
}

}  // namespace ringpost::codec
