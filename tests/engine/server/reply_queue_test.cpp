#include "engine/server/reply_queue.h"

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::server;
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

TEST_CASE("replies: a late one holds up what stands behind it, and nothing else") {
  ReplyQueue queue;
  const Instant start{};
  queue.append("a");
  const std::size_t begin = queue.size();
  queue.append("b");
  queue.slow_down(begin, 10ms, 0ms);
  REQUIRE(queue.is_slowed_down());
  queue.append("c");
  queue.mark(start);
  REQUIRE_FALSE(queue.is_slowed_down());
  REQUIRE(queue.due(start) == "a");
  queue.consume(1);
  REQUIRE(queue.next_due() == start + 10ms);
  queue.append("d");
  queue.mark(start + 1ms);
  REQUIRE(queue.due(start + 9ms).empty());
  REQUIRE(queue.due(start + 10ms) == "bcd");
}

TEST_CASE("replies: one that trickles leaves octet by octet") {
  ReplyQueue queue;
  const Instant start{};
  queue.append("a");
  queue.append("bcd");
  queue.slow_down(1, 0ms, 10ms);
  queue.append("e");
  queue.mark(start);
  REQUIRE(queue.due(start) == "ab");
  REQUIRE(queue.due(start + 9ms) == "ab");
  REQUIRE(queue.due(start + 10ms) == "abc");
  queue.consume(3);
  REQUIRE(queue.next_due() == start + 20ms);
  REQUIRE(queue.due(start + 20ms) == "de");
}

TEST_CASE("replies: what has no mark can be cut and put in front") {
  ReplyQueue queue;
  const Instant start{};
  queue.append("ab");
  queue.mark(start);
  queue.append("cdef");
  queue.cut(4);
  queue.insert(2, "x");
  queue.mark(start);
  REQUIRE(queue.due(start) == "abxcd");
}
