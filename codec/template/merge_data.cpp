// The problem: each of a million recipients brings a handful of values, and a tree of strings takes
// an allocation for each of them. The idea: nodes stand in one list and name each other by number,
// their octets stand in one text, and both keep their room. Limits: members are looked for one by
// one, which a handful allows; limits::merge_members_max bounds what a reader of JSON takes.
#include "codec/template/merge_data.h"

namespace ringpost::codec {

void MergeData::clear(Kind kind, Bytes text) {
  nodes_.clear();
  octets_.clear();
  const Part kept = keep(text);
  nodes_.push_back({.kind = kind, .key = {}, .text = kept});
}

MergeData::Node MergeData::add(Node parent, Bytes key, Kind kind, Bytes text) {
  RP_ASSERT(parent < nodes_.size() && nodes_.size() < none);
  RP_ASSERT(nodes_[parent].kind == Kind::object || nodes_[parent].kind == Kind::list);
  const auto node = static_cast<Node>(nodes_.size());
  const Part kept_key = keep(key);
  const Part kept_text = keep(text);
  nodes_.push_back({.kind = kind, .key = kept_key, .text = kept_text});
  Entry& above = nodes_[parent];
  (above.first == none ? above.first : nodes_[above.last].next) = node;
  above.last = node;
  return node;
}

MergeData::Node MergeData::find(Node object, Bytes key) const {
  if (nodes_[object].kind != Kind::object) {
    return none;
  }
  Node member = nodes_[object].first;
  while (member != none && part(nodes_[member].key) != key) {
    member = nodes_[member].next;
  }
  return member;
}

MergeData::Part MergeData::keep(Bytes text) {
  RP_ASSERT(text.size() < none - octets_.size());
  const Part kept{static_cast<std::uint32_t>(octets_.size()),
                  static_cast<std::uint32_t>(text.size())};
  octets_.append(text);
  return kept;
}

}  // namespace ringpost::codec
