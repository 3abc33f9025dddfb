#include "engine/server/content_scan.h"

#include <random>

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::server;

namespace {

class TextObserver final : public ServerObserver {
 public:
  void on_content(Bytes octets) override { text.append(octets); }
  std::string text;
};

struct Scanned {
  std::string content;
  std::string rest;  // behind the end of data
  ContentFacts facts;
  bool ended = false;

  bool operator==(const Scanned& other) const {
    const ContentFacts& a = facts;
    const ContentFacts& b = other.facts;
    return content == other.content && rest == other.rest && ended == other.ended &&
           a.bytes == b.bytes && a.bare_lf == b.bare_lf && a.bare_cr == b.bare_cr &&
           a.nul == b.nul && a.long_lines == b.long_lines && a.unstuffed_dots == b.unstuffed_dots &&
           a.eight_bit == b.eight_bit;
  }
};

Scanned scan(Bytes octets, Framing framing, std::size_t piece_bytes) {
  ContentScan scan;
  TextObserver observer;
  scan.begin(framing);
  std::size_t at = 0;
  while (at < octets.size() && !scan.ended()) {
    const Bytes piece = octets.substr(at, piece_bytes);
    const std::size_t taken = scan.feed(piece, &observer);
    REQUIRE((taken == piece.size() || scan.ended()));
    at += taken;
  }
  if (framing == Framing::counted) {
    scan.finish();
  }
  return {observer.text, std::string(octets.substr(at)), scan.facts(), scan.ended()};
}

// RFC 5321 4.5.2 once more, an octet at a time and with nothing clever in it.
Scanned scan_simply(Bytes octets) {
  Scanned result;
  std::string line;
  std::size_t at = 0;
  while (at < octets.size() && !result.ended) {
    line.push_back(octets[at++]);
    if (!line.ends_with("\r\n")) {
      continue;
    }
    if (line == ".\r\n") {
      result.ended = true;
    } else if (line.starts_with('.')) {
      result.facts.unstuffed_dots += line[1] != '.' ? 1u : 0u;
      result.content += line.substr(1);
    } else {
      result.content += line;
    }
    line.clear();
  }
  result.rest = octets.substr(at);
  const std::string& text = result.content;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    result.facts.nul += text[i] == '\0' ? 1u : 0u;
    result.facts.eight_bit |= static_cast<unsigned char>(text[i]) >= 0x80;
    result.facts.bare_lf += text[i] == '\n' && (i == 0 || text[i - 1] != '\r') ? 1u : 0u;
    result.facts.bare_cr += text[i] == '\r' && i + 1 < text.size() && text[i + 1] != '\n' ? 1u : 0u;
    if (text[i] == '\n') {
      result.facts.long_lines += i + 1 - line_start > 1000 ? 1u : 0u;
      line_start = i + 1;
    }
  }
  result.facts.bytes = text.size();
  return result;
}

std::string random_content(std::mt19937& random) {
  // Few different octets, so that every neighbourhood of CR, LF and dot comes up.
  constexpr Bytes alphabet("\r\n.a\r\n.\0\xC3", 9);
  std::string octets;
  const std::size_t count = random() % 400;
  while (octets.size() < count) {
    octets += random() % 4 == 0 ? std::string("\r\n") : std::string(1, alphabet[random() % 9]);
    if (random() % 50 == 0) {
      octets.append(random() % 1100, 'z');
    }
  }
  return octets + "\r\n.\r\nrest";
}

void require_same_as_simple(const std::string& octets) {
  const Scanned expected = scan_simply(octets);
  for (const std::size_t piece_bytes :
       {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{63}, std::size_t{64},
        std::size_t{65}, octets.size()}) {
    INFO("pieces of " << piece_bytes);
    REQUIRE(scan(octets, Framing::dot, piece_bytes) == expected);
  }
}

}  // namespace

TEST_CASE("content: stuffing goes, the lone dot ends, and what follows is left") {
  const Scanned scanned = scan("a\r\n..b\r\n...\r\n.\r\nMAIL", Framing::dot, 1000);
  REQUIRE(scanned.ended);
  REQUIRE(scanned.content == "a\r\n.b\r\n..\r\n");
  REQUIRE(scanned.rest == "MAIL");
  REQUIRE(scanned.facts.bytes == 11);
  REQUIRE(scanned.facts.is_text());
  REQUIRE(scanned.facts.unstuffed_dots == 0);
}

TEST_CASE("content: a dot as the first line ends an empty message") {
  const Scanned scanned = scan(".\r\n", Framing::dot, 1);
  REQUIRE(scanned.ended);
  REQUIRE(scanned.facts.bytes == 0);
}

TEST_CASE("content: nothing but CRLF . CRLF ends it") {
  for (const Bytes smuggled : {"a\n.\r\nb\r\n", "a\n.\nb\r\n", "a\r.\rb\r\n", "a\r\n.\nb\r\n",
                               "a\r\n.\rb\r\n", "a\n\r.\r\nb\r\n", "a\r\r\n.\rb\r\n"}) {
    const Scanned scanned = scan(std::string(smuggled) + ".\r\n", Framing::dot, 1000);
    REQUIRE(scanned.ended);
    REQUIRE(scanned.rest.empty());
    REQUIRE_FALSE(scanned.facts.is_text());
  }
}

TEST_CASE("content: a line that begins with a single dot is noted and loses it") {
  const Scanned scanned = scan(".a\r\nb\r\n.\r\n", Framing::dot, 1000);
  REQUIRE(scanned.content == "a\r\nb\r\n");
  REQUIRE(scanned.facts.unstuffed_dots == 1);
}

TEST_CASE(
    "content: 998 octets and CRLF are a line, one more is too long, stuffing does not count") {
  for (const std::size_t shift : {0u, 1u, 63u, 64u, 65u}) {
    const std::string before(shift, 'x');
    const auto facts_of = [&](const std::string& line) {
      return scan(before + "\r\n" + line + "\r\n.\r\n", Framing::dot, 4096).facts;
    };
    REQUIRE(facts_of(std::string(998, 'y')).long_lines == 0);
    REQUIRE(facts_of(std::string(999, 'y')).long_lines == 1);
    REQUIRE(facts_of('.' + std::string(998, '.')).long_lines == 0);
    REQUIRE(facts_of('.' + std::string(999, '.')).long_lines == 1);
  }
}

TEST_CASE("content: chunks end where they end, with no meaning in dots") {
  const Scanned scanned = scan("a\r\n.\r\n..\r\n", Framing::counted, 2);
  REQUIRE_FALSE(scanned.ended);
  REQUIRE(scanned.content == "a\r\n.\r\n..\r\n");
  REQUIRE(scanned.facts.is_text());
  REQUIRE(scan("a\r", Framing::counted, 10).facts.bare_cr == 1);
  REQUIRE(scan(std::string(999, 'a'), Framing::counted, 10).facts.long_lines == 1);
  REQUIRE(scan(std::string(998, 'a'), Framing::counted, 10).facts.long_lines == 0);
}

TEST_CASE("content: any split gives what a simple scanner finds") {
  std::mt19937 random(Catch::getSeed());
  for (int round = 0; round < 300; ++round) {
    INFO("round " << round);
    require_same_as_simple(random_content(random));
  }
}
