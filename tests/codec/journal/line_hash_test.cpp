#include "codec/journal/line_hash.h"

#include <random>
#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

std::string hex(Bytes text) {
  std::string out;
  append_hex(out, hash_line(text));
  return out;
}

std::string legacy_hex(Bytes text) {
  std::string out;
  append_hex(out, hash_line(text, LineHashKind::legacy));
  return out;
}

}  // namespace

TEST_CASE("line_hash: values never change, because users keep them") {
  // As `xxhsum -H2` has them.
  CHECK(hex("") == "99aa06d3014798d86001c324468d497f");
  CHECK(hex("{\"to\":\"ann@example.net\"}") == "5ca370c54db839e5b7646c8b2fa17127");
  CHECK(hex(std::string(1000, 'x')) == "50a1af5a5f2dcf01c0a4877b962cba82");
  // Those of journals of versions 1 and 2.
  CHECK(legacy_hex("") == "c16e72184057dec4d45a6051ec33af65");
  CHECK(legacy_hex("{\"to\":\"ann@example.net\"}") == "d4ecbc8d8d498cd4568f883942b2a110");
  CHECK(legacy_hex(std::string(1000, 'x')) == "6ed9fd8301017ebfc35624ad6863d685");
}

TEST_CASE("line_hash: one changed, added or moved octet makes another hash") {
  std::set<std::string> seen;
  std::string text(200, 'a');
  seen.insert(hex(text));
  for (std::size_t index = 0; index < text.size(); ++index) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = text;
      changed[index] = static_cast<char>(changed[index] ^ (1 << bit));
      seen.insert(hex(changed));
    }
  }
  for (std::size_t size = 0; size < 200; ++size) {
    seen.insert(hex(text.substr(0, size)));
    seen.insert(hex(text.substr(0, size) + std::string(1, '\0')));
  }
  CHECK(seen.size() == 1 + 1600 + 400);
}

TEST_CASE("line_hash: half of the bits change when one does") {
  std::mt19937_64 random(5);
  double changed_bits = 0;
  constexpr int rounds = 4000;
  for (int round = 0; round < rounds; ++round) {
    std::string text(random() % 100 + 1, ' ');
    for (char& octet : text) {
      octet = static_cast<char>(' ' + random() % 90);
    }
    const LineHash before = hash_line(text);
    text[random() % text.size()] ^= static_cast<char>(1 << random() % 7);
    const LineHash after = hash_line(text);
    changed_bits += std::popcount(before.high ^ after.high) + std::popcount(before.low ^ after.low);
  }
  CHECK(changed_bits / rounds > 62);
  CHECK(changed_bits / rounds < 66);
}
