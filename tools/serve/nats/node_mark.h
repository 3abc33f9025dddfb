// What a node says of itself where all nodes can read it: which jobs of the stream it has in hand,
// and of which it has told what became of them. No I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include <ringpost/base.h>

namespace ringpost::serve {

// Sequence numbers as ranges, since nodes are handed jobs in rows: "5-10,12".
class SequenceRanges {
 public:
  // One that is in it already changes nothing.
  void add(std::uint64_t sequence);
  void add(const SequenceRanges& others);
  [[nodiscard]] bool contains(std::uint64_t sequence) const;
  [[nodiscard]] bool empty() const { return first_by_last_.empty(); }
  [[nodiscard]] std::size_t ranges() const { return first_by_last_.size(); }
  [[nodiscard]] std::uint64_t last() const;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static std::optional<SequenceRanges> read(Bytes text);

 private:
  std::map<std::uint64_t, std::uint64_t> first_by_last_;
};

struct NodeMark {
  // Which stream of that name, by when it was created: one that was made anew counts from 1 again.
  std::string stream;
  SequenceRanges in_hand;
  SequenceRanges told;

  // Three lines of text, for whoever looks with `nats kv get`.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static std::optional<NodeMark> read(Bytes text);
};

// A mark of another node, as of now.
struct OtherNode {
  NodeMark mark;
  bool is_alive = false;  // it has renewed its mark within the time in which nodes do
};

// What may be done with a job that was handed to this node.
enum class JobClaim : std::uint8_t {
  free,       // nobody else has had it
  told,       // its outcomes are stored; what is missing is the acknowledgement
  elsewhere,  // a node that is at work has it in hand
  in_doubt,   // a node has died with it in hand, and may have sent it
};
[[nodiscard]] JobClaim claim_of(std::uint64_t sequence, std::span<const OtherNode> others);

}  // namespace ringpost::serve
