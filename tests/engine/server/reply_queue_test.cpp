#include "engine/server/reply_queue.h"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch_get_random_seed.hpp>
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

TEST_CASE("replies: nothing passes a gap, and what fills it stands in its place") {
  ReplyQueue queue;
  const Instant start{};
  queue.append("a");
  queue.hold(1);
  queue.append("b");
  queue.hold(2);
  queue.mark(start);
  REQUIRE(queue.due(start) == "a");
  queue.consume(1);
  REQUIRE(queue.next_due() == never);
  REQUIRE_FALSE(queue.empty());
  queue.fill(2, "2");
  REQUIRE(queue.due(start).empty());
  queue.fill(1, "1");
  REQUIRE(queue.next_due() == start);
  REQUIRE(queue.due(start) == "1b");
  queue.mark(start + 1ms);  // the last one has nothing behind it whose time it could share
  REQUIRE(queue.due(start + 1ms) == "1b2");
  queue.consume(3);
  REQUIRE(queue.empty());
  queue.fill(1, "again");
  queue.fill(3, "never held");
  REQUIRE(queue.empty());
}

TEST_CASE("replies: a gap alone is something that waits") {
  ReplyQueue queue;
  queue.hold(7);
  REQUIRE_FALSE(queue.empty());
  REQUIRE(queue.size() == 0);
  REQUIRE(queue.next_due() == never);
  queue.clear();
  REQUIRE(queue.empty());
}

TEST_CASE(
    "replies: gaps keep their order, however they are filled and however much stands between") {
  std::mt19937 random(Catch::getSeed());
  for (int round = 0; round < 40; ++round) {
    INFO("round " << round);
    ReplyQueue queue;
    std::vector<std::string> parts;  // in order; empty where a gap is open
    std::vector<std::size_t> open;
    std::string taken;
    const auto expected = [&parts] {
      std::string text;
      for (const std::string& part : parts) {
        if (part.empty()) {
          break;
        }
        text += part;
      }
      return text;
    };
    for (int step = 0; step < 400; ++step) {
      const std::string text(1 + random() % 900, static_cast<char>('a' + random() % 26));
      if (const auto what = random() % 4; what == 0) {
        queue.hold(parts.size());
        open.push_back(parts.size());
        parts.emplace_back();
      } else if (what == 1 && !open.empty()) {
        const std::size_t which = random() % open.size();
        queue.fill(open[which], text);
        parts[open[which]] = text;
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
      } else {
        queue.append(text);
        parts.push_back(text);
      }
      if (random() % 3 == 0) {
        queue.mark(Instant::min());
        const Bytes due = queue.due(Instant::min());
        REQUIRE(taken + std::string(due) == expected());
        const std::size_t count = random() % (due.size() + 1);
        taken += due.substr(0, count);
        queue.consume(count);
      }
    }
    for (const std::size_t key : open) {
      queue.fill(key, "x");
      parts[key] = "x";
    }
    queue.mark(Instant::min());
    REQUIRE(taken + std::string(queue.due(Instant::min())) == expected());
    queue.consume(queue.size());
    REQUIRE(queue.empty());
  }
}
