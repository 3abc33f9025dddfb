#include "codec/text/json_echo.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

std::string compact(Bytes json) {
  std::string out = "before:";
  const auto result = append_compact_json(out, json, 4);
  if (!result) {
    CHECK(out == "before:");
    constexpr const char* flaws[] = {"syntax", "truncated", "trailing", "depth", "string"};
    return std::string(flaws[static_cast<std::size_t>(result.error().flaw)]) + " " +
           std::to_string(result.error().offset);
  }
  CHECK(check_json(json, 4));
  return out.substr(7);
}

}  // namespace

TEST_CASE("json_echo: white space goes, everything else stays") {
  CHECK(compact(" { \"a b\" : [ 1 , -2.5e+3 , true,false ,null ], \"c\":{} ,\"d\":[] }\r\n") ==
        R"({"a b":[1,-2.5e+3,true,false,null],"c":{},"d":[]})");
  CHECK(compact("\"x\"") == "\"x\"");
  CHECK(compact("0") == "0");
  CHECK(compact("[0.1,1E5,-0]") == "[0.1,1E5,-0]");
  CHECK(compact(R"(["\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00"])") ==
        R"(["\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00"])");
}

TEST_CASE("json_echo: what is not JSON is refused where it shows") {
  CHECK(compact("") == "truncated 0");
  CHECK(compact("{") == "truncated 1");
  CHECK(compact("{\"a\"") == "truncated 4");
  CHECK(compact("{\"a\":") == "truncated 5");
  CHECK(compact("[1,") == "truncated 3");
  CHECK(compact("[\"abc") == "truncated 1");
  CHECK(compact("[tr") == "truncated 1");
  CHECK(compact("{} x") == "trailing 3");
  CHECK(compact("1 2") == "trailing 2");
  CHECK(compact("[1,]") == "syntax 3");
  CHECK(compact("[,1]") == "syntax 1");
  CHECK(compact("[1 2]") == "syntax 3");
  CHECK(compact("{\"a\" 1}") == "syntax 5");
  CHECK(compact("{a:1}") == "syntax 1");
  CHECK(compact("{\"a\":1,}") == "syntax 7");
  CHECK(compact("[1}") == "syntax 2");
  CHECK(compact("[tru]") == "syntax 1");
  CHECK(compact("[01]") == "syntax 2");
  CHECK(compact("[1.]") == "syntax 1");
  CHECK(compact("[.5]") == "syntax 1");
  CHECK(compact("[+1]") == "syntax 1");
  CHECK(compact("[1e]") == "syntax 1");
  CHECK(compact("[-]") == "syntax 1");
  CHECK(compact("[NaN]") == "syntax 1");
  CHECK(compact("['a']") == "syntax 1");
}

TEST_CASE("json_echo: strings with NUL, controls, bad escapes and half pairs are refused (S47)") {
  CHECK(compact(R"(["\u0000"])") == "string 2");
  CHECK(compact(R"(["\ud800"])") == "string 2");
  CHECK(compact(R"(["\ud800\u0041"])") == "string 2");
  CHECK(compact(R"(["\udc00"])") == "string 2");
  CHECK(compact(R"(["a\x41"])") == "string 3");
  CHECK(compact(R"(["\u12g4"])") == "string 2");
  CHECK(compact("[\"a\nb\"]") == "string 3");
  CHECK(compact(Bytes("[\"\\\0\"]", 6)) == "string 2");
}

TEST_CASE("json_echo: depth is bounded and costs no stack (S46)") {
  CHECK(compact("[[[[1]]]]") == "[[[[1]]]]");
  CHECK(compact("[[[[[1]]]]]") == "depth 4");
  CHECK_FALSE(check_json(std::string(10'000'000, '['), 64));
}
