// What is counted of refusals that no rule fitted, and the rule that is proposed for them.
#include "engine/protocol/unmatched_replies.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace ringpost {

namespace {

using protocol::ReplyRules;
using protocol::UnmatchedReplies;
using protocol::UnmatchedReply;

void note_refusal(UnmatchedReplies& unmatched, Stage stage, const codec::Reply& reply) {
  unmatched.note(stage, reply, ReplyRules().rule(stage, reply));
}

codec::Reply refusal(std::uint16_t code, EnhancedStatus enhanced, Bytes text) {
  return {code, enhanced, text, 1};
}

}  // namespace

TEST_CASE("unmatched replies: those that differ in addresses and numbers alone are one kind") {
  UnmatchedReplies unmatched;
  note_refusal(unmatched, Stage::rcpt,
               refusal(550, {5, 7, 1}, "<a@one.example>: Sender not wanted here (id 4711)"));
  note_refusal(unmatched, Stage::rcpt,
               refusal(550, {5, 7, 1}, "<b@two.example>: Sender not wanted here (id 4712)"));
  note_refusal(unmatched, Stage::eod, refusal(451, {}, "Come back\nlater please"));
  const std::vector<UnmatchedReply> kinds = unmatched.most_frequent(5);
  REQUIRE(kinds.size() == 2);
  CHECK(kinds[0].count == 2);
  CHECK(kinds[0].words == "Sender not wanted here");
  CHECK(kinds[0].scope == protocol::RuleScope::recipient);
  CHECK(kinds[0].action == protocol::RuleAction::reject);
  CHECK(kinds[0].rule().enhanced == "5.7.1");
  CHECK(kinds[1].words == "Come back later please");
  CHECK(kinds[1].action == protocol::RuleAction::retry);
  CHECK(kinds[1].rule().enhanced.empty());
  CHECK(unmatched.most_frequent(1).size() == 1);
}

TEST_CASE("unmatched replies: a reply of numbers alone is counted, and has no words for a rule") {
  UnmatchedReplies unmatched;
  note_refusal(unmatched, Stage::mail, refusal(554, {}, "4711 <a@b.example>"));
  note_refusal(unmatched, Stage::mail, refusal(554, {}, ""));
  REQUIRE(unmatched.most_frequent(5).size() == 1);
  CHECK(unmatched.most_frequent(5)[0].words.empty());
  CHECK(unmatched.total() == 2);
}

TEST_CASE("unmatched replies: kinds are bounded, and all are counted") {
  UnmatchedReplies one;
  UnmatchedReplies other;
  for (int i = 0; i < 200; ++i) {
    const std::string text = std::string("no ") + static_cast<char>('a' + i / 20) +
                             static_cast<char>('a' + i % 20) + " here";
    note_refusal(i % 2 == 0 ? one : other, Stage::eod, refusal(550, {}, text));
  }
  one.merge(other);
  CHECK(one.most_frequent(1000).size() == UnmatchedReplies::kinds_max);
  CHECK(one.total() == 200);
}

TEST_CASE("unmatched replies: the rule that is proposed fits each reply of its kind") {
  const char* const words[] = {"Sender",
                               "<a@b.example>",
                               "4711",
                               "policy",
                               "with\nlines",
                               "*",
                               "\"quoted\"",
                               "Übergröße",
                               "not",
                               "  two  blanks",
                               "x1",
                               "denied.",
                               "averyveryverylongwordindeed"};
  std::mt19937 random(12);
  std::size_t with_words = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t i = random() % 12; i > 0; --i) {
      text += std::string(text.empty() ? "" : " ") + words[random() % std::size(words)];
    }
    const EnhancedStatus status = random() % 2 == 0 ? EnhancedStatus{} : EnhancedStatus{5, 7, 1};
    const codec::Reply reply = refusal(random() % 2 == 0 ? 451 : 550, status, text);
    UnmatchedReplies unmatched;
    note_refusal(unmatched, Stage::eod, reply);
    const UnmatchedReply kind = unmatched.most_frequent(1).at(0);
    if (kind.words.empty()) {
      continue;
    }
    ++with_words;
    INFO(text);
    const ReplyRules rules({kind.rule()}, {});
    const protocol::Ruling ruling = rules.rule(Stage::eod, reply);
    REQUIRE(ruling.rule != nullptr);
    CHECK(ruling.scope == kind.scope);
    CHECK(ruling.action == kind.action);
  }
  CHECK(with_words > 1000);
}

TEST_CASE(
    "unmatched replies: what a code says of a mailbox, and what general rules know, lacks none") {
  const auto lacks = [](Stage stage, const codec::Reply& reply) {
    return protocol::lacks_rule(stage, reply, ReplyRules().rule(stage, reply));
  };
  const EnhancedStatus none;
  CHECK_FALSE(lacks(Stage::rcpt, refusal(550, {5, 1, 1}, "no such user")));
  CHECK_FALSE(lacks(Stage::rcpt, refusal(452, {4, 2, 2}, "mailbox full")));
  CHECK_FALSE(lacks(Stage::rcpt, refusal(550, none, "no such user")));
  CHECK(lacks(Stage::rcpt, refusal(550, {5, 7, 1}, "we know you")));
  CHECK(lacks(Stage::rcpt, refusal(554, none, "we know you")));
  CHECK(lacks(Stage::eod, refusal(550, none, "odd content")));
  CHECK(lacks(Stage::mail, refusal(451, none, "later")));
  CHECK_FALSE(lacks(Stage::mail, refusal(550, {5, 4, 5}, "Daily user sending limit exceeded")));
}

}  // namespace ringpost
