// Values that are filled into a template: a tree as JSON has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::codec {

// A tree of values, in two buffers that are used again: filling it in anew takes no allocation once
// it has seen such a tree. Its root is an object, unless somebody asks for another: mustache knows
// templates over a list or a text alone. Thread: one; read by many while nobody fills.
class MergeData {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, string, list, object };
  using Node = std::uint32_t;
  static constexpr Node none = std::numeric_limits<Node>::max();
  static constexpr Node root = 0;

  MergeData() { clear(); }

  // An object without members; or a root of another kind, whose text is as in add().
  void clear() { clear(Kind::object, {}); }
  void clear(Kind kind, Bytes text);
  // A value behind the others of a list or an object. Text: of a string its UTF-8, of a number the
  // digits as JSON wrote them, of a boolean `true` or `false`; else empty. `key` is empty in a
  // list. Whoever adds sees to it that no key of an object is there twice (the first would be
  // found), and that all texts and keys have fewer than 4 GB.
  Node add(Node parent, Bytes key, Kind kind, Bytes text);

  [[nodiscard]] Kind kind(Node node) const { return nodes_[node].kind; }
  [[nodiscard]] Bytes text(Node node) const { return part(nodes_[node].text); }
  [[nodiscard]] Bytes key(Node node) const { return part(nodes_[node].key); }
  // The member of that name; none where there is none, or where it is no object.
  [[nodiscard]] Node find(Node object, Bytes key) const;
  [[nodiscard]] Node first(Node parent) const { return nodes_[parent].first; }
  [[nodiscard]] Node next(Node node) const { return nodes_[node].next; }
  [[nodiscard]] bool empty() const { return nodes_[root].first == none; }

 private:
  struct Part {
    std::uint32_t offset = 0;
    std::uint32_t bytes = 0;
  };
  struct Entry {
    Kind kind = Kind::object;
    Part key;
    Part text;
    Node first = none;
    Node last = none;
    Node next = none;
  };

  [[nodiscard]] Bytes part(const Part& part) const {
    return Bytes(octets_).substr(part.offset, part.bytes);
  }
  Part keep(Bytes text);

  std::vector<Entry> nodes_;
  std::string octets_;
};

// Trees that are asked one after the other: the first has the last word. Lent.
using MergeLayers = std::span<const MergeData* const>;

}  // namespace ringpost::codec
