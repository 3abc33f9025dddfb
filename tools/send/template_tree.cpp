// Problem: a template is JSON or TOML, and has to mean the same. Idea: both become the tree that
// merge values are, and one reader goes on from there. Limits: dates and times of TOML are texts.
#include "tools/send/template_tree.h"

#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "codec/template/merge_json.h"
#include <ringpost/limits.h>

namespace ringpost::cli {

namespace {

using codec::MergeData;
using Kind = MergeData::Kind;

template <typename Value>
std::string text_of_toml(const Value& value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

// A value, and where in the tree it belongs.
struct TomlStep {
  const toml::node* node = nullptr;
  MergeData::Node parent = MergeData::none;
  std::string key;
};

void add_toml_scalar(const TomlStep& step, MergeData& data) {
  const toml::node& node = *step.node;
  if (const auto* const text = node.as_string()) {
    data.add(step.parent, step.key, Kind::string, text->get());
  } else if (const auto* const boolean = node.as_boolean()) {
    data.add(step.parent, step.key, Kind::boolean, boolean->get() ? "true" : "false");
  } else if (const auto* const whole = node.as_integer()) {
    data.add(step.parent, step.key, Kind::number, std::to_string(whole->get()));
  } else if (const auto* const number = node.as_floating_point()) {
    data.add(step.parent, step.key, Kind::number, fmt::format("{}", number->get()));
  } else {
    node.visit([&](const auto& value) {
      data.add(step.parent, step.key, Kind::string, text_of_toml(value));
    });
  }
}

// Children of a table or a list, one level after the other, so that siblings keep their order.
MergeData tree_of(const toml::table& root) {
  MergeData data;
  std::vector<TomlStep> steps;
  const auto add_table = [&steps](const toml::table& table, MergeData::Node parent) {
    for (const auto& [key, node] : table) {
      steps.push_back({&node, parent, std::string(key.str())});
    }
  };
  add_table(root, MergeData::root);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const TomlStep step = steps[i];
    if (const toml::table* const table = step.node->as_table()) {
      add_table(*table, data.add(step.parent, step.key, Kind::object, {}));
    } else if (const toml::array* const array = step.node->as_array()) {
      const MergeData::Node list = data.add(step.parent, step.key, Kind::list, {});
      for (const toml::node& node : *array) {
        steps.push_back({&node, list, {}});
      }
    } else {
      add_toml_scalar(step, data);
    }
  }
  return data;
}

}  // namespace

Result<MergeData, std::string> template_tree(const std::string& path, const std::string& content) {
  if (!path.ends_with(".toml")) {
    codec::MergeJson reader;
    MergeData data;
    if (auto read = reader.read(content, data); !read) {
      return Failure(fmt::format("{}: {}", path, read.error()));
    }
    return data;
  }
  try {
    return tree_of(toml::parse(std::string_view(content)));
  } catch (const toml::parse_error& error) {
    const toml::source_position& begin = error.source().begin;
    return Failure(
        fmt::format("{}:{}:{}: {}", path, begin.line, begin.column, error.description()));
  }
}

}  // namespace ringpost::cli
