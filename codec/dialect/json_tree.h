// A line of JSON as a tree that can be looked into in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "codec/job/job_error.h"
#include <ringpost/base.h>

namespace ringpost::codec {

// Numbers keep the digits they were written with, and no object has a member twice. Thread: one.
class JsonTree {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, string, list, object };
  using Node = std::uint32_t;
  static constexpr Node none = std::numeric_limits<Node>::max();

  JsonTree();
  ~JsonTree();
  JsonTree(const JsonTree&) = delete;
  JsonTree& operator=(const JsonTree&) = delete;

  // Forgets what it has, and reads a line, without white space around it and with
  // JobReader::padding_bytes readable behind it. The error is about the line, or about a member
  // that stands twice.
  [[nodiscard]] Result<Node, JobError> read(Bytes line);
  // JSON that stands in a string of the line: another tree beside the first. Each string once.
  [[nodiscard]] Result<Node, JobError> read_inner(Bytes json);

  [[nodiscard]] Kind kind(Node node) const { return nodes_[node].kind; }
  // Of a string its characters, of a number its digits, of a boolean its word. Views hold until the
  // next read().
  [[nodiscard]] Bytes text(Node node) const { return part(nodes_[node].text); }
  [[nodiscard]] Bytes key(Node node) const { return part(nodes_[node].key); }
  [[nodiscard]] Node first(Node node) const { return nodes_[node].first; }
  [[nodiscard]] Node next(Node node) const { return nodes_[node].next; }
  [[nodiscard]] Node find(Node object, Bytes key) const;
  [[nodiscard]] std::size_t count(Node parent) const;
  // Absent for all that services mean by it: null, false, "", [] and {}.
  [[nodiscard]] bool is_empty(Node node) const;

  // Appends the value as JSON without white space.
  void append_json(std::string& out, Node node) const;

 private:
  class Reader;
  struct Part {
    std::size_t offset = 0;
    std::size_t bytes = 0;
  };
  struct Entry {
    Kind kind = Kind::null;
    Node first = none;
    Node next = none;
    Part key;
    Part text;
  };

  [[nodiscard]] Bytes part(const Part& part) const {
    return Bytes(octets_).substr(part.offset, part.bytes);
  }

  std::unique_ptr<Reader> reader_;
  std::vector<Entry> nodes_;
  std::string octets_;
};

}  // namespace ringpost::codec
