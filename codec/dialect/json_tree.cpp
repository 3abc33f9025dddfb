// The problem: what a service's body means is known only when all of it was seen: whether a text
// has variables is told by another member, which may stand in front of it or behind. The idea: a
// tree in two buffers, made by simdjson after codec/text/json_echo has proved that all of the line
// is JSON, with the place where it is not. Limits: recursion, as deep as a job may be; so many
// values that a line takes some hundred MB at the very most.
#include "codec/dialect/json_tree.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codec/job/job_reader_walk.h"
#include "codec/text/json_echo.h"
#include "codec/text/json_text.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr std::size_t tree_bytes_kept_max = 4u << 20;

JobError tree_error(JobErrorKind kind, std::string field, std::string reason) {
  return {kind, std::move(field), std::move(reason)};
}

}  // namespace

class JsonTree::Reader {
 public:
  Result<Node, JobError> read(JsonTree& tree, Bytes json) {
    if (const std::size_t valid = valid_utf8_prefix(json); valid != json.size()) {
      return Failure(tree_error(JobErrorKind::invalid_utf8, "",
                                fmt::format("octet {} of the line is not UTF-8", valid)));
    }
    if (const auto checked = check_json(json, limits::job_depth_max); !checked) {
      const JsonError& error = checked.error();
      return Failure(
          tree_error(kind_of(error.flaw), "",
                     fmt::format("the line {} (octet {})", text_of(error.flaw), error.offset)));
    }
    if (json.front() != '{' && json.front() != '[') {
      return Failure(tree_error(JobErrorKind::not_an_object, "",
                                fmt::format("an object in braces should stand here, and this is {}",
                                            type_of(json.front()))));
    }
    tree_ = &tree;
    error_.reset();
    const Node root = read_document(json);
    if (parser_.capacity() > tree_bytes_kept_max) {
      parser_ = ondemand::parser();
    }
    if (error_) {
      return Failure(std::move(*error_));
    }
    return root;
  }

 private:
  Node read_document(Bytes json) {
    const simdjson::padded_string_view padded(json.data(), json.size(),
                                              json.size() + simdjson::SIMDJSON_PADDING);
    ondemand::document document;
    ondemand::value value;
    if (!sound(parser_.iterate(padded).get(document)) || !sound(document.get_value().get(value))) {
      return none;
    }
    return add(value, {});
  }

  bool sound(simdjson::error_code error) {
    if (error) {
      refuse(JobErrorKind::invalid_json, {}, simdjson::error_message(error));
    }
    return !error;
  }

  void refuse(JobErrorKind kind, Bytes name, std::string reason) {
    if (!error_) {
      error_ = tree_error(kind, name.empty() ? std::string() : JobPlace{nullptr, name}.text(),
                          std::move(reason));
    }
  }

  // Never moves what is there: views of it are about.
  Part keep(Bytes text) {
    RP_ASSERT(tree_->octets_.size() + text.size() <= tree_->octets_.capacity());
    const Part part{tree_->octets_.size(), text.size()};
    tree_->octets_ += text;
    return part;
  }

  Node add(ondemand::value& value, Part key) {
    if (tree_->nodes_.size() == limits::dialect_values_max) {
      refuse(JobErrorKind::invalid_value, {},
             fmt::format("the line has more than {} values", limits::dialect_values_max));
      return none;
    }
    const auto node = static_cast<Node>(tree_->nodes_.size());
    tree_->nodes_.push_back({.key = key, .text = {}});
    const std::string_view token = value.raw_json_token();
    switch (token.front()) {
      case '{':
        set_kind(node, Kind::object);
        add_members(value, node);
        break;
      case '[':
        set_kind(node, Kind::list);
        add_elements(value, node);
        break;
      case '"':
        set_kind(node, Kind::string);
        add_string(value, node);
        break;
      default:
        add_word(token, node);
    }
    return node;
  }

  void set_kind(Node node, Kind kind) { tree_->nodes_[node].kind = kind; }

  void add_word(std::string_view token, Node node) {
    const std::string_view word = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
    const char first = word.front();
    set_kind(node, begins_number(first) ? Kind::number : first == 'n' ? Kind::null : Kind::boolean);
    tree_->nodes_[node].text = keep(word);
  }

  void add_string(ondemand::value& value, Node node) {
    std::string_view text;
    if (sound(value.get_string().get(text))) {
      tree_->nodes_[node].text = keep(text);
    }
  }

  void append(Node parent, Node& last, Node child) {
    (last == none ? tree_->nodes_[parent].first : tree_->nodes_[last].next) = child;
    last = child;
  }

  void add_members(ondemand::value& value, Node parent) {
    ondemand::object object;
    if (!sound(value.get_object().get(object))) {
      return;
    }
    Node last = none;
    for (auto next : object) {
      ondemand::field field;
      std::string_view name;
      if (!sound(std::move(next).get(field)) || !sound(field.unescaped_key().get(name))) {
        return;
      }
      const Part key = keep(name);
      const Node child = add(field.value(), key);
      if (error_) {
        return;
      }
      append(parent, last, child);
    }
    refuse_twins(parent);
  }

  void add_elements(ondemand::value& value, Node parent) {
    ondemand::array array;
    if (!sound(value.get_array().get(array))) {
      return;
    }
    Node last = none;
    for (auto next : array) {
      ondemand::value element;
      // NOLINTNEXTLINE(performance-move-const-arg): get() wants an rvalue.
      if (!sound(std::move(next).get(element))) {
        return;
      }
      const Node child = add(element, {});
      if (error_) {
        return;
      }
      append(parent, last, child);
    }
  }

  void refuse_twins(Node parent) {
    std::vector<Bytes> names;
    for (Node child = tree_->first(parent); child != none; child = tree_->next(child)) {
      names.push_back(tree_->key(child));
    }
    std::sort(names.begin(), names.end());
    const auto twin = std::adjacent_find(names.begin(), names.end());
    if (twin != names.end()) {
      refuse(JobErrorKind::duplicate_field, *twin, "is given twice");
    }
  }

  ondemand::parser parser_;
  JsonTree* tree_ = nullptr;
  std::optional<JobError> error_;
};

JsonTree::JsonTree() : reader_(std::make_unique<Reader>()) {}
JsonTree::~JsonTree() = default;

Result<JsonTree::Node, JobError> JsonTree::read(Bytes line) {
  if (octets_.capacity() > tree_bytes_kept_max) {
    octets_ = {};
    nodes_ = {};
  }
  octets_.clear();
  nodes_.clear();
  octets_.reserve(2 * line.size());  // text is never longer than its JSON
  return reader_->read(*this, line);
}

Result<JsonTree::Node, JobError> JsonTree::read_inner(Bytes json) {
  if (octets_.capacity() - octets_.size() < json.size()) {
    return Failure(tree_error(JobErrorKind::invalid_value, "", "is read more than once"));
  }
  std::string padded(json);
  padded.append(simdjson::SIMDJSON_PADDING, ' ');
  return reader_->read(*this, Bytes(padded).substr(0, json.size()));
}

JsonTree::Node JsonTree::find(Node object, Bytes name) const {
  for (Node member = first(object); member != none; member = next(member)) {
    if (key(member) == name) {
      return member;
    }
  }
  return none;
}

std::size_t JsonTree::count(Node parent) const {
  std::size_t number = 0;
  for (Node child = first(parent); child != none; child = next(child)) {
    ++number;
  }
  return number;
}

bool JsonTree::is_empty(Node node) const {
  switch (kind(node)) {
    case Kind::null:
      return true;
    case Kind::boolean:
      return text(node) == "false";
    case Kind::number:
      return false;
    case Kind::string:
      return text(node).empty();
    case Kind::list:
    case Kind::object:
      return first(node) == none;
  }
  return true;
}

void JsonTree::append_json(std::string& out, Node node) const {
  const Kind what = kind(node);
  if (what == Kind::string) {
    return append_json_string(out, text(node));
  }
  if (what != Kind::list && what != Kind::object) {
    out += text(node);
    return;
  }
  out += what == Kind::list ? '[' : '{';
  for (Node child = first(node); child != none; child = next(child)) {
    if (what == Kind::object) {
      append_json_string(out, key(child));
      out += ':';
    }
    append_json(out, child);
    out += next(child) == none ? "" : ",";
  }
  out += what == Kind::list ? ']' : '}';
}

}  // namespace ringpost::codec
