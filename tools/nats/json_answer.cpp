// The tree of other services' bodies reads answers, too. It wants octets behind what it reads, so
// the text is copied once.
#include "tools/nats/json_answer.h"

#include <charconv>

#include <fmt/format.h>

#include "codec/job/job_reader.h"

namespace ringpost::nats {

JsonAnswer::JsonAnswer(Bytes text) {
  std::string padded(text);
  padded.append(codec::JobReader::padding_bytes, '\0');
  if (text.empty()) {
    return;
  }
  if (const auto root = tree_.read(Bytes(padded).substr(0, text.size()))) {
    root_ = *root;
  }
}

std::optional<std::string> JsonAnswer::error() const {
  if (root_ == codec::JsonTree::none) {
    return "the answer is no JSON object";
  }
  if (find({"error"}) == codec::JsonTree::none) {
    return std::nullopt;
  }
  return fmt::format("{} ({})", text({"error", "description"}), error_code());
}

std::uint64_t JsonAnswer::error_code() const { return number({"error", "err_code"}); }

JsonAnswer::Node JsonAnswer::find(std::initializer_list<Bytes> path) const {
  Node node = root_;
  for (const Bytes key : path) {
    if (node == codec::JsonTree::none || tree_.kind(node) != codec::JsonTree::Kind::object) {
      return codec::JsonTree::none;
    }
    node = tree_.find(node, key);
  }
  return node;
}

std::string JsonAnswer::text(std::initializer_list<Bytes> path) const {
  const Node node = find(path);
  return node == codec::JsonTree::none ? std::string() : std::string(tree_.text(node));
}

std::uint64_t JsonAnswer::number(std::initializer_list<Bytes> path) const {
  const std::string digits = text(path);
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace ringpost::nats
