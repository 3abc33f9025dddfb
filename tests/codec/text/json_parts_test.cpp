#include "codec/text/json_parts.h"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/text/json_echo.h"

using namespace ringpost;
using codec::JsonParts;

namespace {

std::vector<std::string> parts_of(Bytes json) {
  std::vector<std::string> parts;
  JsonParts walk(json);
  for (Bytes value; walk.next(value);) {
    parts.emplace_back(value);
  }
  return parts;
}

// A value of JSON by chance, as text.
std::string random_value(std::mt19937& random, int depth) {
  const std::string space = random() % 3 == 0 ? " \t\n" : "";
  switch (random() % (depth > 0 ? 6 : 4)) {
    case 0:
      return R"("a\"b]},[{\\")";
    case 1:
      return "-12.5e3";
    case 2:
      return "null";
    case 3:
      return "\"\"";
    case 4: {
      std::string list = "[" + space;
      for (auto i = random() % 4; i > 0; --i) {
        list += random_value(random, depth - 1) + space + (i > 1 ? "," : "") + space;
      }
      return list + "]";
    }
    default: {
      std::string object = "{" + space;
      for (auto i = random() % 4; i > 0; --i) {
        object += "\"k\\\"" + std::to_string(i) + "\"" + space + ":" + space +
                  random_value(random, depth - 1) + space + (i > 1 ? "," : "") + space;
      }
      return object + "}";
    }
  }
}

}  // namespace

TEST_CASE("json parts: a list is cut where its values begin and end") {
  CHECK(parts_of("[]").empty());
  CHECK(parts_of("[ ]").empty());
  CHECK(
      parts_of(R"(["a@b", {"email" : "c,]}@d"},[1,[2]] , true,-0.5e1])") ==
      std::vector<std::string>{R"("a@b")", R"({"email" : "c,]}@d"})", "[1,[2]]", "true", "-0.5e1"});
  CHECK(parts_of(R"(["\\","\"",""])") == std::vector<std::string>{R"("\\")", R"("\"")", R"("")"});
  CHECK(JsonParts::count("[1,2,3]") == 3);
}

TEST_CASE("json parts: an object is cut into names and values") {
  JsonParts walk(R"({"a":1, "b\"c" : {"d":[]} ,"e":"f"})");
  std::vector<std::string> found;
  for (Bytes name, value; walk.next(name, value);) {
    found.push_back(std::string(name) + "=" + std::string(value));
  }
  CHECK(found == std::vector<std::string>{R"("a"=1)", R"("b\"c"={"d":[]})", R"("e"="f")"});
}

TEST_CASE("json parts: put together again, the values of any list are that list") {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> values;
    std::string list = "[";
    for (auto i = random() % 6; i > 0; --i) {
      values.push_back(random_value(random, 3));
      list += (values.size() > 1 ? " ,\t" : "") + values.back();
    }
    list += "]";
    INFO(list);
    REQUIRE(codec::check_json(list, 10));
    REQUIRE(parts_of(list) == values);
    REQUIRE(JsonParts::count(list) == values.size());
  }
}

TEST_CASE("json parts: what nobody has checked ends, too") {
  for (const char* const text :
       {"", "[", "[\"", "[\"\\", "[{", "[{\"a\":", "[1", "{\"a\"", "[[[["}) {
    INFO(text);
    JsonParts walk((Bytes(text)));
    std::size_t count = 0;
    for (Bytes name, value; walk.next(name, value) && count < 10;) {
      ++count;
    }
    CHECK(count < 10);
  }
}
