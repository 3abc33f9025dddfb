// The problem: each recipient has a handful of values, and a map of strings for them costs more
// than sending the message. The idea: a tree in one list, whose texts stand behind each other in
// one string, so that clearing it keeps all memory. Limits: members are found one after the other,
// which is right for the dozens that a recipient has; less than 4 GB of text.
#include "codec/template/merge_data.h"

namespace ringpost::codec {

void MergeData::clear() {
  octets_.clear();
  nodes_.clear();
  nodes_.emplace_back();
}

MergeData::Node MergeData::add(Node parent, Bytes key, Kind kind, Bytes text) {
  RP_ASSERT(parent < nodes_.size());
  const auto node = static_cast<Node>(nodes_.size());
  Entry entry;
  entry.kind = kind;
  entry.key = keep(key);
  entry.text = keep(text);
  nodes_.push_back(entry);
  Entry& above = nodes_[parent];
  (above.last == none ? above.first : nodes_[above.last].next) = node;
  above.last = node;
  return node;
}

MergeData::Part MergeData::keep(Bytes text) {
  const Part part{static_cast<std::uint32_t>(octets_.size()),
                  static_cast<std::uint32_t>(text.size())};
  octets_ += text;
  return part;
}

MergeData::Node MergeData::find(Node object, Bytes key) const {
  if (nodes_[object].kind != Kind::object) {
    return none;
  }
  for (Node node = nodes_[object].first; node != none; node = nodes_[node].next) {
    if (this->key(node) == key) {
      return node;
    }
  }
  return none;
}

}  // namespace ringpost::codec
