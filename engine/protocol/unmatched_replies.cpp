// The problem: a server's refusals name the recipient, the time and a number of their own, and only
// what is the same each time can be counted and put into a rule. The idea: words with a digit or a
// sign of an address in them vary, the longest row of the others does not. Limits: a name without
// digits passes for a word; there is room for 64 kinds, and the later ones are only counted.
#include "engine/protocol/unmatched_replies.h"

#include <algorithm>

#include "codec/text/ascii.h"
#include <ringpost/limits.h>

namespace ringpost::protocol {

namespace {

// Of rules that people read: longer words say no more.
constexpr std::size_t words_bytes_max = 60;
// Longer than any word of a sentence: an id.
constexpr std::size_t word_bytes_max = 24;

// Of ids, addresses, URLs and quotations, and what a rule could not hold as it stands.
bool makes_word_vary(char c) {
  constexpr Bytes signs = "<>[](){}@=/\\\"*_#";
  return codec::is_digit(c) || static_cast<unsigned char>(c) <= ' ' ||
         static_cast<unsigned char>(c) > '~' || signs.find(c) != Bytes::npos;
}

bool varies(Bytes word) {
  return word.size() > word_bytes_max || std::any_of(word.begin(), word.end(), makes_word_vary);
}

// The next word of `text` behind `from`, as a part of it; empty at its end.
Bytes word_behind(Bytes text, std::size_t from) {
  const std::size_t begin = std::min(text.find_first_not_of(' ', from), text.size());
  const std::size_t end = std::min(text.find(' ', begin), text.size());
  return text.substr(begin, end - begin);
}

Bytes longest_row(Bytes text) {
  Bytes longest;
  Bytes row;
  std::size_t at = 0;
  for (Bytes word = word_behind(text, 0); !word.empty(); word = word_behind(text, at)) {
    const auto begin = static_cast<std::size_t>(word.data() - text.data());
    at = begin + word.size();
    if (varies(word)) {
      row = {};
      continue;
    }
    const std::size_t row_begin =
        row.empty() ? begin : static_cast<std::size_t>(row.data() - text.data());
    if (at - row_begin > words_bytes_max) {
      continue;
    }
    row = text.substr(row_begin, at - row_begin);
    if (row.size() > longest.size()) {
      longest = row;
    }
  }
  return longest;
}

}  // namespace

bool lacks_rule(Stage stage, const codec::Reply& reply, const Ruling& ruling) {
  const bool by_class = ruling.rule == nullptr &&
                        (ruling.action == RuleAction::reject || ruling.action == RuleAction::retry);
  // RFC 3463 3.2 and 3.3; without a status the codes of RFC 5321 4.2.3 for a mailbox.
  const bool of_mailbox =
      reply.enhanced.present()
          ? reply.enhanced.subject == 1 || reply.enhanced.subject == 2
          : reply.code == 450 || reply.code == 550 || reply.code == 551 || reply.code == 553;
  return by_class && !(stage == Stage::rcpt && of_mailbox);
}

bool UnmatchedReply::is_same_kind(const UnmatchedReply& other) const {
  return stage == other.stage && code == other.code && enhanced == other.enhanced &&
         codec::equal_without_case(words, other.words);
}

ReplyRule UnmatchedReply::rule() const {
  RP_ASSERT(!words.empty());
  ReplyRule rule;
  rule.code = code;
  if (enhanced.present()) {
    rule.enhanced = std::to_string(enhanced.status_class) + "." + std::to_string(enhanced.subject) +
                    "." + std::to_string(enhanced.detail);
  }
  rule.text = words;
  rule.stage = stage;
  rule.scope = scope;
  rule.action = action;
  return rule;
}

void UnmatchedReplies::note(Stage stage, const codec::Reply& reply, const Ruling& ruling) {
  RP_ASSERT(ruling.rule == nullptr);
  std::string text(reply.text.substr(0, limits::outcome_text_bytes_max));
  std::replace(text.begin(), text.end(), '\n', ' ');
  add({stage, reply.code, reply.enhanced, std::string(longest_row(text)), ruling.scope,
       ruling.action, 1});
}

void UnmatchedReplies::merge(const UnmatchedReplies& other) {
  std::uint64_t added = 0;
  for (const UnmatchedReply& one : other.kinds_) {
    add(one);
    added += one.count;
  }
  total_ += other.total_ - added;
}

void UnmatchedReplies::add(const UnmatchedReply& one) {
  total_ += one.count;
  const auto same = std::find_if(kinds_.begin(), kinds_.end(), [&](const UnmatchedReply& each) {
    return each.is_same_kind(one);
  });
  if (same != kinds_.end()) {
    same->count += one.count;
  } else if (kinds_.size() < kinds_max) {
    kinds_.push_back(one);
  }
}

std::vector<UnmatchedReply> UnmatchedReplies::most_frequent(std::size_t count) const {
  std::vector<UnmatchedReply> sorted = kinds_;
  std::stable_sort(
      sorted.begin(), sorted.end(),
      [](const UnmatchedReply& a, const UnmatchedReply& b) { return a.count > b.count; });
  sorted.resize(std::min(sorted.size(), count));
  return sorted;
}

}  // namespace ringpost::protocol
