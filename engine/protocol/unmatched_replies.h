// Refusals that no rule of the user's and none of the preset's fitted: how often each kind came,
// and which words a rule for it would have. Pure, and bounded: what a server says may vary without
// end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/smtp/smtp_reply.h"
#include "engine/protocol/reply_rules.h"
#include <ringpost/outcome.h>

namespace ringpost::protocol {

// Whether a general ruling has only gone by the class of the code, and that of a reply which is not
// a recipient's own: what "no such user" means needs no rule.
[[nodiscard]] bool lacks_rule(Stage stage, const codec::Reply& reply, const Ruling& ruling);

struct UnmatchedReply {
  Stage stage = Stage::local;
  std::uint16_t code = 0;
  EnhancedStatus enhanced;
  // The longest part without addresses, numbers and ids, as it was said first. Empty: it has none.
  std::string words;
  RuleScope scope = RuleScope::message;  // what the general rules made of the first
  RuleAction action = RuleAction::retry;
  std::uint64_t count = 0;

  [[nodiscard]] bool is_same_kind(const UnmatchedReply& other) const;
  // One that fits all replies of this kind and says what was done anyway, for people to change.
  // Precondition: it has words.
  [[nodiscard]] ReplyRule rule() const;
};

class UnmatchedReplies {
 public:
  static constexpr std::size_t kinds_max = 64;

  // Precondition: `ruling` is a general one.
  void note(Stage stage, const codec::Reply& reply, const Ruling& ruling);
  // Adds those of another worker.
  void merge(const UnmatchedReplies& other);

  // The most frequent first, `count` at most.
  [[nodiscard]] std::vector<UnmatchedReply> most_frequent(std::size_t count) const;
  // All, those of kinds for which there was no room included.
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  void add(const UnmatchedReply& one);

  std::vector<UnmatchedReply> kinds_;
  std::uint64_t total_ = 0;
};

}  // namespace ringpost::protocol
