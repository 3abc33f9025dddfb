// AES-GCM over records: what RFC 8448 prints, and whatever the lengths and places, the same octets
// from each library.
#include "tls/record_cipher.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <ringpost/limits.h>

namespace ringpost::tls::test {

namespace {

std::string octets_of(std::string_view hex) {
  std::string octets;
  std::string digits;
  for (const char digit : hex) {
    if (digit == ' ') {
      continue;
    }
    digits += digit;
    if (digits.size() == 2) {
      octets += static_cast<char>(std::stoi(digits, nullptr, 16));
      digits.clear();
    }
  }
  return octets;
}

using Make = std::unique_ptr<RecordCipher> (*)();

std::string body_of(RecordCipher& cipher, const RecordNonce& nonce, Bytes header, Bytes plaintext,
                    bool in_place) {
  std::string body(plaintext.size() + record_type_bytes + record_tag_bytes, 'x');
  if (in_place) {
    std::ranges::copy(plaintext, body.begin());
    plaintext = Bytes(body).substr(0, plaintext.size());
  }
  cipher.seal(nonce, header, plaintext, 23, body.data());
  return body;
}

}  // namespace

TEST_CASE("record cipher: the record of RFC 8448 3") {
  const auto cipher = GENERATE(Make(&make_wolfcrypt_cipher), Make(&make_ipsec_mb_cipher))();
  if (!cipher) {
    SKIP("this build or this processor has no intel-ipsec-mb");
  }
  const bool in_place = GENERATE(false, true);
  CAPTURE(cipher->name(), in_place);
  cipher->set_key(octets_of("17 42 2d da 59 6e d5 d9 ac d8 90 e3 c6 3f 50 51"));
  RecordNonce nonce{};
  std::ranges::copy(octets_of("5b 78 92 3d ee 08 57 90 33 e5 23 d9"), nonce.begin());
  std::string plaintext;
  for (char octet = 0; octet < 50; ++octet) {
    plaintext += octet;
  }
  CHECK(body_of(*cipher, nonce, octets_of("17 03 03 00 43"), plaintext, in_place) ==
        octets_of("a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa 66 bc ab"
                  "3f 2b 98 19 a8 a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97"
                  "70 14 bd 1e 3d ea e6 3a ee bb 21 69 49 15 e4"));
}

TEST_CASE("record cipher: every library makes the same octets") {
  const auto one = make_wolfcrypt_cipher();
  const auto other = make_ipsec_mb_cipher();
  if (!other) {
    SKIP("this build or this processor has no intel-ipsec-mb");
  }
  std::minstd_rand random(Catch::getSeed());
  const auto some = [&random](std::size_t count) {
    std::string octets(count, '\0');
    std::ranges::generate(octets, [&random] { return static_cast<char>(random() >> 8); });
    return octets;
  };
  std::vector<std::size_t> lengths = {limits::tls_record_bytes_max, 16383, 4096, 4095};
  for (std::size_t length = 0; length < 1100; ++length) {
    lengths.push_back(length);
  }
  for (const std::size_t length : lengths) {
    const std::string key = some(length % 2 == 0 ? 16 : 32);
    one->set_key(key);
    other->set_key(key);
    RecordNonce nonce{};
    std::ranges::copy(some(nonce.size()), nonce.begin());
    const std::string plaintext = some(length);
    const std::string header = some(5);
    const std::string expected = body_of(*one, nonce, header, plaintext, false);
    CAPTURE(length, key.size());
    REQUIRE(body_of(*one, nonce, header, plaintext, true) == expected);
    REQUIRE(body_of(*other, nonce, header, plaintext, false) == expected);
    REQUIRE(body_of(*other, nonce, header, plaintext, true) == expected);
  }
}

TEST_CASE("record cipher: the one that is taken is one of them") {
  const auto cipher = make_record_cipher();
  REQUIRE(cipher);
  CHECK(cipher->name() == (ipsec_mb_is_faster() ? "intel-ipsec-mb" : "wolfCrypt"));
}

}  // namespace ringpost::tls::test
