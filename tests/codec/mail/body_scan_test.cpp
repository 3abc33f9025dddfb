// stuff() is held against stuff_scalar(), its twin without vector code, and both against a third
// way to do it that shares nothing with them.
#include "codec/mail/body_scan.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using codec::StuffCursor;

namespace {

using Stuff = std::size_t (*)(Bytes, StuffCursor&, std::span<char>);

// Line by line, as RFC 5321 4.5.2 words it.
std::string stuffed_by_lines(std::string_view content) {
  std::string result;
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size() - 1) + 1;
    const std::string_view line = content.substr(0, end);
    result += line.front() == '.' ? "." : "";
    result += line;
    content.remove_prefix(end);
  }
  return result;
}

// The stream that comes out when room number i has `rooms[i % n]` octets. The octets behind a room
// are watched; a room of nothing must take nothing.
std::string stuffed(Stuff stuff, std::string_view content, const std::vector<std::size_t>& rooms) {
  // An allocation of its own, so that a sanitizer sees whoever reads on behind it.
  const std::vector<char> copy(content.begin(), content.end());
  const Bytes octets(copy.data(), copy.size());
  std::string result;
  StuffCursor cursor;
  for (std::size_t i = 0; cursor.offset < octets.size(); ++i) {
    std::vector<char> room(rooms[i % rooms.size()] + 1, '#');
    const std::size_t written = stuff(octets, cursor, std::span(room).first(room.size() - 1));
    REQUIRE(written <= room.size() - 1);
    REQUIRE(room.back() == '#');
    REQUIRE((written == room.size() - 1 || cursor.offset == octets.size()));
    result.append(room.data(), written);
  }
  return result;
}

void check_rooms(std::string_view content, const std::vector<std::size_t>& rooms) {
  const std::string expected = stuffed_by_lines(content);
  REQUIRE(stuffed(codec::stuff, content, rooms) == expected);
  REQUIRE(stuffed(codec::stuff_scalar, content, rooms) == expected);
}

// All divisions of the room into two, and rooms of one size, of all sizes.
void check_all_divisions(std::string_view content) {
  const std::size_t size = stuffed_by_lines(content).size();
  for (std::size_t first = 1; first <= size + 1; ++first) {
    check_rooms(content, {first, size + 1});
    check_rooms(content, {first});
  }
}

std::string random_content(std::mt19937_64& random, std::size_t size_max) {
  constexpr std::string_view alphabet = ".\n\r.\na.";
  const bool dense = random() % 2 == 0;
  std::string content(random() % (size_max + 1), 'x');
  for (char& c : content) {
    if (dense || random() % 8 == 0) {
      c = alphabet[random() % alphabet.size()];
    }
  }
  return content;
}

}  // namespace

TEST_CASE("body scan: a dot is doubled at a line start and nowhere else") {
  const auto once = [](std::string_view content) {
    return stuffed(codec::stuff, content, {content.size() * 2 + 1});
  };
  CHECK(once("") == "");
  CHECK(once(".") == "..");
  CHECK(once("..") == "...");
  CHECK(once("a.b\r\n.c\r\n..\r\n") == "a.b\r\n..c\r\n...\r\n");
  CHECK(once("\r\n.\r\n") == "\r\n..\r\n");
  CHECK(once("x\r\n.") == "x\r\n..");
  CHECK(once("x\r.y") == "x\r.y");
}

TEST_CASE("body scan: all divisions of the room give the same stream") {
  for (const std::string content :
       {"", ".", "..", ".\r\n", "\r\n", "\r\n.", "\r\n.\r\n", ".\r\n.\r\n.\r\n", "abc\r\n.def\r\n",
        "0123456789abcdef\n.", "0123456789abcde\n.x", "0123456789abcdef0123456789abcde\n..",
        "\n.\n.\n.\n.\n.\n.\n.\n.\n.\n.\n.\n.\n.\n.\n.\n.\n.",
        "................................."}) {
    INFO(content);
    check_all_divisions(content);
  }
}

TEST_CASE("body scan: a pair of LF and dot is found at every place of a vector") {
  for (std::size_t at = 0; at < 70; ++at) {
    std::string content(at, 'x');
    content += "\n.";
    for (std::size_t behind = 0; behind < 40; ++behind) {
      check_rooms(content, {content.size() + 2});
      content += 'y';
    }
  }
}

TEST_CASE("body scan: random contents, all divisions of the room") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 300; ++round) {
    const std::string content = random_content(random, 100);
    INFO("round " << round);
    check_all_divisions(content);
  }
}

TEST_CASE("body scan: long random contents in random rooms") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    const std::string content = random_content(random, 5000);
    std::vector<std::size_t> rooms(1 + random() % 7);
    for (std::size_t& room : rooms) {
      room = random() % 3 == 0 ? random() % 4 : 1 + random() % 600;
    }
    rooms.push_back(1);
    INFO("round " << round);
    check_rooms(content, rooms);
  }
}

TEST_CASE("body scan: nothing but dots grows to twice its size and not beyond") {
  std::string content;
  for (int i = 0; i < 20'000; ++i) {
    content += ".\n";
  }
  const std::string expected = stuffed_by_lines(content);
  CHECK(expected.size() == content.size() / 2 * 3);
  for (const std::size_t room : {7u, 1024u, 60'000u}) {
    CHECK(stuffed(codec::stuff, content, {room}) == expected);
  }
}

TEST_CASE("body scan: no room takes nothing, and the cursor stays") {
  StuffCursor cursor;
  CHECK(codec::stuff("abc", cursor, {}) == 0);
  CHECK(cursor.offset == 0);
  char one = 0;
  CHECK(codec::stuff(".", cursor, {&one, 1}) == 1);
  CHECK(cursor.offset == 0);
  CHECK(cursor.dot_written);
  CHECK(codec::stuff(".", cursor, {}) == 0);
  CHECK(cursor.dot_written);
  CHECK(codec::stuff(".", cursor, {&one, 1}) == 1);
  CHECK(cursor.offset == 1);
  CHECK(codec::stuff(".", cursor, {&one, 1}) == 0);
}
