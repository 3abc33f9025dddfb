#include "tools/sink/reply_queue.h"

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::sink;
using namespace std::chrono_literals;

TEST_CASE("replies: each leaves at its own time, in order") {
  ReplyQueue queue;
  const Instant start{};
  queue.append("a");
  queue.mark(start + 10ms);
  queue.append("b");
  queue.append("c");
  queue.mark(start + 20ms);
  REQUIRE(queue.due(start + 9ms).empty());
  REQUIRE(queue.next_due() == start + 10ms);
  REQUIRE(queue.due(start + 10ms) == "a");
  queue.consume(1);
  REQUIRE(queue.next_due() == start + 20ms);
  REQUIRE(queue.due(start + 19ms).empty());
  REQUIRE(queue.due(start + 20ms) == "bc");
  queue.consume(1);
  REQUIRE(queue.due(start + 20ms) == "c");
  queue.consume(1);
  REQUIRE(queue.empty());
}

TEST_CASE("replies: none overtakes the one in front of it") {
  ReplyQueue queue;
  const Instant start{};
  queue.append("late");
  queue.mark(start + 10ms);
  queue.append("early");
  queue.mark(start + 5ms);
  REQUIRE(queue.due(start + 5ms).empty());
  REQUIRE(queue.due(start + 10ms) == "lateearly");
}

TEST_CASE("replies: long rows that are taken in part stay whole") {
  ReplyQueue queue;
  std::string appended;
  std::string taken;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = std::to_string(i) + "\r\n";
    queue.append(text);
    appended += text;
    queue.mark(Instant{} + std::chrono::milliseconds(i / 100));
    if (i % 7 == 0) {
      const Bytes due = queue.due(Instant{} + std::chrono::milliseconds(i / 200));
      taken += due.substr(0, 100);
      queue.consume(std::min<std::size_t>(due.size(), 100));
    }
  }
  taken += queue.due(never);
  queue.consume(queue.size());
  REQUIRE(taken == appended);
  REQUIRE(queue.empty());
}
