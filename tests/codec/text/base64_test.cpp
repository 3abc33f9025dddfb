#include "codec/text/base64.h"

#include <random>
#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

std::string encoded(Bytes bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

// The decoded octets, or where decoding stopped.
std::string decoded(Bytes text, Base64Space space = Base64Space::refused) {
  std::string out = "before:";
  const auto result = decode_base64(text, space, out);
  if (!result) {
    CHECK(out == "before:");
    return "error at " + std::to_string(result.error().offset);
  }
  return out.substr(7);
}

}  // namespace

TEST_CASE("base64: the vectors of RFC 4648 section 10 hold in both directions") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    CHECK(encoded(plain) == text);
    CHECK(decoded(text) == plain);
  }
}

TEST_CASE("base64: random octets come back, in one run and in lines") {
  std::mt19937 random(3);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes(size, ' ');
    for (char& octet : bytes) {
      octet = static_cast<char>(random());
    }
    CHECK(encoded(bytes).size() == base64_size(size));
    REQUIRE(decoded(encoded(bytes)) == bytes);
    std::string lines;
    append_base64_lines(lines, bytes);
    REQUIRE(decoded(lines, Base64Space::skipped) == bytes);
    CHECK((lines.empty() || lines.ends_with("\r\n")));
    for (std::size_t begin = 0; begin < lines.size(); begin = lines.find("\r\n", begin) + 2) {
      CHECK(lines.find("\r\n", begin) - begin <= 76);
    }
  }
}

TEST_CASE("base64: what is not canonical is refused where it shows") {
  CHECK(decoded("Zg=") == "error at 3");
  CHECK(decoded("Zg") == "error at 2");
  CHECK(decoded("Z") == "error at 1");
  CHECK(decoded("Z===") == "error at 1");
  CHECK(decoded("=") == "error at 0");
  CHECK(decoded("Zg==Zg==") == "error at 4");
  CHECK(decoded("Zm9v=") == "error at 4");
  CHECK(decoded("Zm9v*m9v") == "error at 4");
  CHECK(decoded("Zm9vZm-v") == "error at 6");  // the URL alphabet
  CHECK(decoded("Zh==") == "error at 3");      // bits left over
  CHECK(decoded("Zm9=") == "error at 3");
  CHECK(decoded("Zg=A") == "error at 3");
  CHECK(decoded(Bytes("Zm9v\0", 5)) == "error at 4");
}

TEST_CASE("base64: white space is passed over only where that is asked for") {
  CHECK(decoded("Zm9v\r\nYg==", Base64Space::skipped) == "foob");
  CHECK(decoded(" Z m\t9v Yg = =\n", Base64Space::skipped) == "foob");
  CHECK(decoded("Zm9v\r\nYg==") == "error at 4");
  CHECK(decoded("Zm9vYg==\n") == "error at 8");
}
