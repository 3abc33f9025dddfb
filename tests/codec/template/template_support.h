// What the tests of templates have in common.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/template/merge_json.h"
#include "codec/template/mustache.h"

namespace ringpost::test {

using codec::MergeData;
using codec::MergeJson;
using codec::MergeLayers;
using codec::MissingPolicy;
using codec::Mustache;
using codec::MustacheOutput;
using codec::MustacheWalk;
using codec::Partial;

// What a walk says, put together as html is.
class HtmlOutput final : public MustacheOutput {
 public:
  void add_literal(std::size_t, Bytes text) override { html += text; }
  void add_value(Bytes value, bool escaped) override {
    if (escaped) {
      codec::append_html_escaped(html, value);
    } else {
      html += value;
    }
  }

  std::string html;
};

inline MergeData merge_of(Bytes json) {
  MergeData data;
  const auto read = MergeJson().read_value(json, data);
  INFO(json);
  REQUIRE(read);
  return data;
}

inline Mustache mustache_of(Bytes source, const std::vector<Partial>& partials = {}) {
  auto parsed = Mustache::parse(source, partials);
  INFO(source << ": " << (parsed ? "" : parsed.error().message()));
  REQUIRE(parsed);
  return *parsed;
}

// The html, or "error: " and what is wrong.
inline std::string html_of(const Mustache& source, MergeLayers layers,
                           MissingPolicy missing = MissingPolicy::empty,
                           std::size_t bytes_max = 1u << 20) {
  HtmlOutput output;
  MustacheWalk walk;
  const auto rendered = walk.render(source, layers, missing, bytes_max, output);
  return rendered ? output.html : "error: " + rendered.error().message();
}

inline std::string html_of(Bytes source, Bytes json, const std::vector<Partial>& partials = {},
                           MissingPolicy missing = MissingPolicy::empty) {
  const MergeData data = merge_of(json);
  const MergeData* layer = &data;
  return html_of(mustache_of(source, partials), MergeLayers(&layer, 1), missing);
}

}  // namespace ringpost::test
