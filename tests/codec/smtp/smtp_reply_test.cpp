#include "codec/smtp/smtp_reply.h"

#include <random>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <ringpost/limits.h>

using namespace ringpost;
using codec::Reply;
using codec::ReplyError;
using codec::ReplyParser;

namespace {

// A reply that outlives its parser.
struct Kept {
  std::uint16_t code = 0;
  EnhancedStatus enhanced;
  std::string text;
  std::uint16_t lines = 0;
  bool operator==(const Kept&) const = default;
};

struct Parsed {
  std::vector<Kept> replies;
  bool failed = false;
  ReplyError error = ReplyError::bad_code;
  bool in_reply = false;
  std::string line;  // at hand when it ended
  Kept unfinished;
  bool operator==(const Parsed&) const = default;
};

Kept kept(const Reply& reply) {
  return {reply.code, reply.enhanced, std::string(reply.text), reply.lines};
}

// Feeds `octets` in pieces whose ends are at `cuts`.
Parsed parse(std::string_view octets, const std::vector<std::size_t>& cuts = {}) {
  Parsed parsed;
  ReplyParser parser;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : octets.size();
    const std::string piece(octets.substr(begin, end - begin));
    begin = end;
    Bytes input = piece;
    while (!input.empty()) {
      Reply reply;
      const auto complete = parser.parse(input, reply);
      if (!complete) {
        parsed.failed = true;
        parsed.error = complete.error();
        parsed.line = parser.line_at_hand();
        parsed.unfinished = kept(parser.unfinished());
        return parsed;
      }
      if (*complete) {
        parsed.replies.push_back(kept(reply));
      } else {
        REQUIRE(input.empty());
      }
    }
  }
  parsed.in_reply = parser.in_reply();
  parsed.line = parser.line_at_hand();
  parsed.unfinished = kept(parser.unfinished());
  return parsed;
}

Kept only_reply(std::string_view octets) {
  const Parsed parsed = parse(octets);
  REQUIRE(!parsed.failed);
  REQUIRE(!parsed.in_reply);
  REQUIRE(parsed.replies.size() == 1);
  return parsed.replies.front();
}

ReplyError error_of(std::string_view octets) {
  const Parsed parsed = parse(octets);
  REQUIRE(parsed.failed);
  return parsed.error;
}

std::string repeated(std::string_view unit, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += unit;
  }
  return text;
}

}  // namespace

TEST_CASE("reply: code, enhanced status and text of one line") {
  const Kept reply = only_reply("550 5.1.1 nobody here\r\n");
  CHECK(reply.code == 550);
  CHECK(reply.enhanced == EnhancedStatus{5, 1, 1});
  CHECK(reply.text == "nobody here");
  CHECK(reply.lines == 1);
}

TEST_CASE("reply: lines are joined, each without its codes") {
  const Kept reply = only_reply("250-2.0.0 first\r\n250-second\r\n250 2.0.0 third\r\n");
  CHECK(reply.code == 250);
  CHECK(reply.text == "first\nsecond\nthird");
  CHECK(reply.lines == 3);
}

TEST_CASE("reply: the enhanced status is that of the first line that has one") {
  CHECK(only_reply("250-x\r\n250-2.6.0 y\r\n250 2.0.0 z\r\n").enhanced == EnhancedStatus{2, 6, 0});
  CHECK(!only_reply("250-x\r\n250 y\r\n").enhanced.present());
}

TEST_CASE("reply: a bare code is a reply") {
  const Kept reply = only_reply("250\r\n");
  CHECK(reply.code == 250);
  CHECK(reply.text.empty());
  CHECK(only_reply("250-\r\n250\r\n").text == "\n");
  CHECK(only_reply("250 \r\n").text.empty());
}

TEST_CASE("reply: LF alone ends a line, and a CR within one is text") {
  CHECK(only_reply("250 ok\n").text == "ok");
  CHECK(only_reply("250 o\rk\r\n").text == "o\rk");
  CHECK(only_reply("250 ok\r\r\n").text == "ok\r");
}

TEST_CASE("reply: octets of any kind but NUL are text") {
  CHECK(only_reply("250 \x1b[2J\xff\xfe\r\n").text == "\x1b[2J\xff\xfe");
  CHECK(error_of(std::string_view("250 a\0b\r\n", 9)) == ReplyError::nul_octet);
}

TEST_CASE("reply: classes are those of the first digit") {
  Reply reply;
  for (const std::uint16_t code : std::vector<std::uint16_t>{200, 299, 354, 450, 599}) {
    reply.code = code;
    CHECK(reply.positive() == (code < 300));
    CHECK(reply.intermediate() == (code == 354));
    CHECK(reply.transient() == (code == 450));
    CHECK(reply.permanent() == (code == 599));
  }
}

TEST_CASE("reply: what does not begin with a code ends the session") {
  for (const char* const octets :
       {"850 x\r\n", "150 x\r\n", "050 x\r\n", "650 x\r\n", "25\r\n", "2500 x\r\n", "250x\r\n",
        "250\tx\r\n", "+250 x\r\n", " 250 x\r\n", "\r\n", "\n", "2a0 x\r\n", "25a x\r\n", "x\r\n",
        "250.x\r\n", "25 0\r\n"}) {
    INFO(octets);
    CHECK(error_of(octets) == ReplyError::bad_code);
  }
}

TEST_CASE("reply: lines of one reply carry one code") {
  CHECK(error_of("250-x\r\n550 y\r\n") == ReplyError::mixed_codes);
  CHECK(error_of("250-x\r\n251-y\r\n") == ReplyError::mixed_codes);
}

TEST_CASE("reply: behind an error there is the line that was none, and what stands above it") {
  const Parsed mixed = parse("220-5.0.1 hi\r\n521 blocked using rbl\r\n220 x\r\n");
  CHECK(mixed.error == ReplyError::mixed_codes);
  CHECK(mixed.line == "521 blocked using rbl");
  CHECK(mixed.unfinished == Kept{220, {5, 0, 1}, "hi", 1});
  CHECK(parse("* OK IMAP\r\n").line == "* OK IMAP");
  CHECK(parse("* OK IMAP\r\n").unfinished == Kept{});
  CHECK(parse(std::string_view("220 a\0b\n", 8)).line == std::string_view("220 a\0b", 7));
  CHECK(parse("HTTP/1.1").line == "HTTP/1.1");
  const std::string too_long = "220 " + std::string(9000, 'a');
  CHECK(parse(too_long).line == too_long.substr(0, limits::reply_line_bytes_max));
  CHECK(parse("250 ok\r\n").line.empty());
}

TEST_CASE("reply: a line is bounded, with or without its end") {
  constexpr std::size_t max = limits::reply_line_bytes_max;
  const std::string longest = "250 " + std::string(max - 5, 'a') + "\r\n";
  CHECK(only_reply(longest).text.size() == max - 5);
  CHECK(error_of("250 " + std::string(max - 4, 'a') + "\r\n") == ReplyError::line_too_long);
  CHECK(error_of("250 " + std::string(max, 'a')) == ReplyError::line_too_long);
}

TEST_CASE("reply: lines are counted") {
  constexpr std::size_t max = limits::reply_lines_max;
  CHECK(only_reply(repeated("250-\r\n", max - 1) + "250\r\n").lines == max);
  CHECK(error_of(repeated("250-\r\n", max) + "250\r\n") == ReplyError::too_many_lines);
}

TEST_CASE("reply: the whole is bounded") {
  const std::string line = "250-" + std::string(8000, 'a') + "\r\n";
  const std::size_t fitting = limits::reply_bytes_max / 8001;
  CHECK(parse(repeated(line, fitting)).in_reply);
  CHECK(error_of(repeated(line, fitting + 1)) == ReplyError::reply_too_long);
}

TEST_CASE("reply: parsing stops behind one reply") {
  ReplyParser parser;
  Reply reply;
  Bytes input = "250 a\r\n550 b\r\nx";
  CHECK(parser.parse(input, reply).value());
  CHECK(reply.code == 250);
  CHECK(input == "550 b\r\nx");
  CHECK(parser.parse(input, reply).value());
  CHECK(reply.code == 550);
  CHECK(input == "x");
  CHECK_FALSE(parser.in_reply());
  CHECK_FALSE(parser.parse(input, reply).value());
  CHECK(input.empty());
  CHECK(parser.in_reply());
}

TEST_CASE("reply: it is known whether one has begun") {
  for (const char* const octets : {"2", "250", "250 x\r", "250-x\r\n", "250-x\r\n2"}) {
    INFO(octets);
    CHECK(parse(octets).in_reply);
  }
  CHECK_FALSE(parse("").in_reply);
  CHECK_FALSE(parse("250 x\r\n").in_reply);
}

TEST_CASE("reply: a second reply has nothing of the first") {
  const Parsed parsed = parse("250-2.0.0 first\r\n250 second\r\n250 third\r\n");
  REQUIRE(parsed.replies.size() == 2);
  CHECK(parsed.replies[1] == Kept{250, {}, "third", 1});
}

TEST_CASE("reply: every division of the octets gives the same replies") {
  const std::vector<std::string> streams = {
      "220 mx\r\n250-mx.example\r\n250-SIZE 1\r\n250 2.0.0 x\r\n354\r\n550 5.1.1 \n",
      "250-a\r\n250 b\r\n850 c\r\n",
      "250 a\r\n250-b\r\n550 c\r\n",
      std::string("250 a\r\n250 \0\r\n", 14),
      "250 a\r\n250-b\r\n25",
      "250 a\r\n" + repeated("250-x\r\n", 260),
  };
  for (const std::string& stream : streams) {
    const Parsed whole = parse(stream);
    std::vector<std::size_t> each;
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
      REQUIRE(parse(stream, {cut}) == whole);
      each.push_back(cut);
    }
    REQUIRE(parse(stream, each) == whole);
  }
}

TEST_CASE("reply: a long line is too long wherever it is divided") {
  const std::string stream = "250 " + std::string(limits::reply_line_bytes_max, 'a') + "\r\n";
  for (std::size_t cut = 1; cut < stream.size(); cut += 61) {
    const Parsed parsed = parse(stream, {cut});
    REQUIRE(parsed.failed);
    REQUIRE(parsed.error == ReplyError::line_too_long);
  }
}

TEST_CASE("reply: random octets in random pieces never differ from the whole") {
  std::mt19937_64 random(1);
  constexpr std::string_view alphabet = "2345 -\r\n.a0";
  for (int round = 0; round < 20'000; ++round) {
    std::string stream;
    for (std::uint64_t i = random() % 40; i > 0; --i) {
      stream += random() % 4 == 0 ? std::string("250-x\r\n")
                                  : std::string(1, alphabet[random() % alphabet.size()]);
    }
    std::set<std::size_t> cuts;
    for (int i = 0; i < 5 && !stream.empty(); ++i) {
      cuts.insert(random() % stream.size());
    }
    INFO(stream);
    REQUIRE(parse(stream, {cuts.begin(), cuts.end()}) == parse(stream));
  }
}

TEST_CASE("reply: an enhanced status is three numbers and a space or the end") {
  const auto taken = [](std::string_view text) {
    Bytes rest = text;
    const EnhancedStatus status = codec::take_enhanced_status(rest);
    return std::pair(status, std::string(rest));
  };
  CHECK(taken("2.1.5 ok") == std::pair(EnhancedStatus{2, 1, 5}, std::string("ok")));
  CHECK(taken("4.7.0") == std::pair(EnhancedStatus{4, 7, 0}, std::string()));
  CHECK(taken("5.123.456  x") == std::pair(EnhancedStatus{5, 123, 456}, std::string(" x")));
  for (const char* const text :
       {"", "2", "2.1", "2.1.", "2.1.5x", "2.1.5.1 x", "3.1.5 x", "1.1.1 x", "22.1.5 x", "2.1234.5",
        "2.1.1234 x", "2..5 x", " 2.1.5 x", "2,1,5 x", "-2.1.5 x", "2.-1.5 x", "2.1.5\tx"}) {
    INFO(text);
    CHECK(taken(text) == std::pair(EnhancedStatus{}, std::string(text)));
  }
}

TEST_CASE("reply: each error has a text of its own") {
  std::set<std::string_view> texts;
  for (std::size_t i = 0; i < codec::reply_error_count; ++i) {
    const std::string_view text = codec::text_of(static_cast<ReplyError>(i));
    CHECK(!text.empty());
    CHECK(texts.insert(text).second);
  }
}
