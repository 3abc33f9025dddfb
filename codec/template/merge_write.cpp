// Problem: what a row says of a recipient is one tree, of which parts go different ways, and the
// depth of trees is their writer's. Idea: a stack of our own instead of recursion. Limits: members
// come out in their order, and duplicates stay what they are.
#include "codec/template/merge_write.h"

#include "codec/text/json_text.h"

namespace ringpost::codec {

namespace {

using ValueKind = MergeData::Kind;

bool has_children(ValueKind kind) { return kind == ValueKind::list || kind == ValueKind::object; }

void append_scalar(const MergeData& data, MergeData::Node node, std::string& out) {
  switch (data.kind(node)) {
    case ValueKind::null:
      out += "null";
      break;
    case ValueKind::string:
      append_json_string(out, data.text(node));
      break;
    case ValueKind::boolean:
    case ValueKind::number:
      out += data.text(node);
      break;
    case ValueKind::list:
    case ValueKind::object:
      break;
  }
}

}  // namespace

void MergeWrite::copy(const MergeData& data, MergeData::Node from, MergeData& to,
                      MergeData::Node parent, Bytes key) {
  const MergeData::Node top = to.add(parent, key, data.kind(from), data.text(from));
  steps_.clear();
  steps_.push_back({data.first(from), top});
  while (!steps_.empty()) {
    Step& step = steps_.back();
    const MergeData::Node child = step.child;
    if (child == MergeData::none) {
      steps_.pop_back();
      continue;
    }
    step.child = data.next(child);
    const MergeData::Node copied =
        to.add(step.parent, data.key(child), data.kind(child), data.text(child));
    if (has_children(data.kind(child))) {
      steps_.push_back({data.first(child), copied});
    }
  }
}

void MergeWrite::append_json(const MergeData& data, MergeData::Node node, std::string& out) {
  const auto open = [&](MergeData::Node parent) {
    out += data.kind(parent) == ValueKind::object ? '{' : '[';
    steps_.push_back({data.first(parent), parent});
  };
  steps_.clear();
  if (!has_children(data.kind(node))) {
    append_scalar(data, node, out);
    return;
  }
  open(node);
  while (!steps_.empty()) {
    const Step step = steps_.back();
    const bool is_object = data.kind(step.parent) == ValueKind::object;
    if (step.child == MergeData::none) {
      out += is_object ? '}' : ']';
      steps_.pop_back();
      continue;
    }
    steps_.back().child = data.next(step.child);
    out += step.child == data.first(step.parent) ? "" : ",";
    if (is_object) {
      append_json_string(out, data.key(step.child));
      out += ':';
    }
    if (has_children(data.kind(step.child))) {
      open(step.child);
    } else {
      append_scalar(data, step.child, out);
    }
  }
}

}  // namespace ringpost::codec
