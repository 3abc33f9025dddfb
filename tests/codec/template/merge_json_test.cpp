#include "codec/template/merge_json.h"

#include <string>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "tests/codec/template/template_support.h"
#include <ringpost/limits.h>

using namespace ringpost;
using namespace ringpost::codec;
using test::merge_of;

namespace {

std::string refusal_of(Bytes json) {
  MergeData data;
  const auto read = MergeJson().read(json, data);
  return read ? "" : read.error();
}

// As JSON again, for comparison.
void append_dump(std::string& out, const MergeData& data, MergeData::Node node) {
  switch (data.kind(node)) {
    case MergeData::Kind::null:
      out += "null";
      return;
    case MergeData::Kind::string:
      out += '<';
      out += data.text(node);
      out += '>';
      return;
    case MergeData::Kind::boolean:
    case MergeData::Kind::number:
      out += data.text(node);
      return;
    case MergeData::Kind::list:
    case MergeData::Kind::object:
      break;
  }
  out += data.kind(node) == MergeData::Kind::list ? '[' : '{';
  for (auto member = data.first(node); member != MergeData::none; member = data.next(member)) {
    out += data.key(member);
    out += data.kind(node) == MergeData::Kind::list ? "" : "=";
    append_dump(out, data, member);
    out += ' ';
  }
  out += data.kind(node) == MergeData::Kind::list ? ']' : '}';
}

std::string dump_of(Bytes json) {
  std::string out;
  append_dump(out, merge_of(json), MergeData::root);
  return out;
}

std::string repeated(Bytes text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += text;
  }
  return out;
}

}  // namespace

TEST_CASE("merge_json: every kind of value, nested, with blanks anywhere") {
  CHECK(dump_of(" { } ") == "{}");
  CHECK(dump_of(R"({"a":"x","b":[1,[],{"c":null}],"d":{"e":true,"f":false}})") ==
        "{a=<x> b=[1 [] {c=null } ] d={e=true f=false } }");
  CHECK(dump_of("\t{\r\n \"a\" : [ 1 , 2 ] , \"b\" : \"\" }\n") == "{a=[1 2 ] b=<> }");
}

TEST_CASE("merge_json: numbers keep the digits that somebody wrote") {
  CHECK(dump_of(R"({"a":1.0,"b":12345678901234567890,"c":-0,"d":1E+2,"e":0.1000})") ==
        "{a=1.0 b=12345678901234567890 c=-0 d=1E+2 e=0.1000 }");
}

TEST_CASE("merge_json: escapes are what they stand for, in names too") {
  CHECK(dump_of(R"({"\u0061\n":"\"\\\/\b\f\n\r\t"})") == "{a\n=<\"\\/\b\f\n\r\t> }");
  CHECK(dump_of(R"({"a":"\u00fc\u20ac\uD83D\uDE00x"})") == "{a=<ü€😀x> }");
  CHECK(dump_of(R"({"a":"before\u007Fbehind"})") ==
        "{a=<before\x7f"
        "behind> }");
}

TEST_CASE("merge_json: a root of any kind where somebody asks for it") {
  CHECK(dump_of(" 85 ") == "85");
  CHECK(dump_of(R"("wor\u006cd")") == "<world>");
  CHECK(dump_of("[1,2]") == "[1 2 ]");
  CHECK(dump_of("null") == "null");
  CHECK(dump_of("true") == "true");
}

TEST_CASE("merge_json: what is no JSON object is refused with its place") {
  CHECK(refusal_of("") == "must be a JSON object, in braces");
  CHECK(refusal_of("[1]") == "must be a JSON object, in braces");
  CHECK(refusal_of("name=Ann") == "must be a JSON object, in braces");
  CHECK(refusal_of("{") == "ends too early (octet 1)");
  CHECK(refusal_of(R"({"a":1)") == "ends too early (octet 6)");
  CHECK(refusal_of(R"({"a":1,})") == "is not JSON (octet 7)");
  CHECK(refusal_of(R"({"a":01})") == "is not JSON (octet 6)");
  CHECK(refusal_of(R"({"a":+1})") == "is not JSON (octet 5)");
  CHECK(refusal_of(R"({"a":NaN})") == "is not JSON (octet 5)");
  CHECK(refusal_of(R"({'a':1})") == "is not JSON (octet 1)");
  CHECK(refusal_of(R"({"a":1} {})") == "has something behind its end (octet 8)");
  const std::string string =
      "has a string with NUL, a control, a bad escape or half a surrogate pair";
  CHECK(refusal_of(R"({"a":"\u0000"})") == string + " (octet 6)");
  CHECK(refusal_of("{\"a\":\"\n\"}") == string + " (octet 6)");
  CHECK(refusal_of(R"({"a":"\ud83d"})") == string + " (octet 6)");
  CHECK(refusal_of(R"({"\q":1})") == string + " (octet 2)");
  CHECK(refusal_of("{\"a\":\"\xc3\"}") == "is not UTF-8 at octet 6");
}

TEST_CASE(
    "merge_json: a member that is given twice is refused by its name, however it is written") {
  CHECK(refusal_of(R"({"a":1,"b":2,"a":3})") == R"(has the member "a" twice in one object)");
  CHECK(refusal_of(R"({"b":[{"x":1,"\u0078":2}]})") == R"(has the member "x" twice in one object)");
  CHECK(refusal_of(R"({"":1,"":2})") == R"(has the member "" twice in one object)");
  CHECK(refusal_of(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]})").empty());
}

TEST_CASE("merge_json: depth, members and values have bounds") {
  const std::size_t depth = limits::merge_depth_max;
  CHECK(refusal_of(repeated(R"({"a":)", depth) + "1" + repeated("}", depth)).empty());
  CHECK(refusal_of(repeated(R"({"a":)", depth + 1) + "1" + repeated("}", depth + 1)) ==
        fmt::format("is nested deeper than {} (octet {})", depth, depth * 5));

  std::string members;
  for (std::size_t i = 0; i < limits::merge_members_max; ++i) {
    members += fmt::format("\"m{}\":0,", i);
  }
  CHECK(refusal_of("{\"o\":{" + members.substr(0, members.size() - 1) + "}}").empty());
  CHECK(refusal_of("{\"o\":{" + members + "\"last\":0}}") ==
        fmt::format("has an object of more than {} members: \"last\" is one too many",
                    limits::merge_members_max));

  const std::string values = repeated("0,", limits::merge_values_max - 2);
  CHECK(refusal_of("{\"l\":[" + values + "0]}").empty());
  CHECK(refusal_of("{\"l\":[" + values + "0,0]}") ==
        fmt::format("has more than {} values", limits::merge_values_max));
}

TEST_CASE("merge_json: a reader has nothing of what it read, or refused, before") {
  MergeJson reader;
  MergeData data;
  REQUIRE_FALSE(reader.read(R"({"\u0061":"\u0062","a":1})", data));
  REQUIRE(reader.read(R"({"c":"d"})", data));
  CHECK(data.find(MergeData::root, "a") == MergeData::none);
  CHECK(data.text(data.find(MergeData::root, "c")) == "d");
}
