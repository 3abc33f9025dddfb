// Filling in a template for one recipient after the other takes no memory once it was done.
#include <array>
#include <iterator>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "tests/codec/template/template_support.h"
#include "tests/support/counted_new.h"

using namespace ringpost;
using namespace ringpost::codec;

TEST_CASE("mustache: values are read and filled in without an allocation in the steady state") {
  const Mustache source = test::mustache_of(
      "Dear {{first name|upper|default:\"friend of ours\"}},\n{{#orders}}\n  {{>order}}\n"
      "{{/orders}}\n{{^orders}}Nothing.{{/orders}}{{#tree}}{{>tree}}{{/tree}}"
      "https://example.com/?q={{query|html|url}} {{{town}}} {{missing}}\n",
      {{"order", "* {{title}}: {{price}} {{#tags}}{{.}}, {{/tags}}\n"},
       {"tree", "{{name}}{{#children}}{{>tree}}{{/children}}"}});
  const MergeData shared = test::merge_of(R"({"town":"Ulm"})");
  MergeJson reader;
  MergeData own;
  MustacheWalk walk;
  test::HtmlOutput output;
  std::string json;
  std::size_t before = 0;
  for (int round = 0; round < 20; ++round) {
    before = round == 2 ? test::allocations_so_far() : before;
    json.clear();
    fmt::format_to(
        std::back_inserter(json),
        R"({{"first name":"Ann-Kathrin the {}th","query":"\u00fcber & \"{}\" and much more of it",)"
        R"("orders":[{{"title":"A \t tab, longer than a small string","price":1.50,)"
        R"("tags":["a","b"]}},{{"title":"B","price":2,"tags":[]}}],)"
        R"("tree":{{"name":"a","children":[{{"name":"b","children":[]}}]}}}})",
        round % 10, round % 10);
    const auto read = reader.read(json, own);
    RP_ASSERT(read);
    output.html.clear();
    const std::array<const MergeData*, 2> layers = {&own, &shared};
    const auto rendered = walk.render(source, layers, MissingPolicy::empty, 100'000, output);
    RP_ASSERT(rendered);
    RP_ASSERT(output.html.find("* B: 2 \n") != std::string::npos);
  }
  CHECK(test::allocations_so_far() == before);
}
