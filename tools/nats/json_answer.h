// An answer of a JetStream server, which is a JSON object.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

#include "codec/dialect/json_tree.h"
#include <ringpost/base.h>

namespace ringpost::nats {

class JsonAnswer {
 public:
  // An answer that is no JSON object has no members, and is an error.
  explicit JsonAnswer(Bytes text);

  // What the server says is wrong: "stream not found (10059)"; nothing: all is well.
  [[nodiscard]] std::optional<std::string> error() const;
  // JetStream's own number of that error; 0: none.
  [[nodiscard]] std::uint64_t error_code() const;

  using Node = codec::JsonTree::Node;
  // Member of member; none: it is not there.
  [[nodiscard]] Node find(std::initializer_list<Bytes> path) const;
  [[nodiscard]] std::string text(std::initializer_list<Bytes> path) const;
  [[nodiscard]] std::uint64_t number(std::initializer_list<Bytes> path) const;
  [[nodiscard]] const codec::JsonTree& tree() const { return tree_; }

 private:
  codec::JsonTree tree_;
  Node root_ = codec::JsonTree::none;
};

}  // namespace ringpost::nats
