// Which rule decides about a refusal. The rows of real providers go through their presets in
// tests/tools/presets/reply_rows_test.cpp.
#include "engine/protocol/reply_rules.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "engine/protocol/general_rules.h"

namespace ringpost {

namespace {

using protocol::ReplyRule;
using protocol::ReplyRules;
using protocol::RuleAction;
using protocol::RuleScope;
using protocol::Ruling;

ReplyRule rule_with_text(std::string text, RuleAction action) {
  ReplyRule rule;
  rule.text = std::move(text);
  rule.scope = RuleScope::account;
  rule.action = action;
  return rule;
}

constexpr Stage stages_with_replies[] = {Stage::greeting, Stage::ehlo, Stage::starttls, Stage::auth,
                                         Stage::mail,     Stage::rcpt, Stage::data,     Stage::eod};

// A reply as a server writes it, through the parser in pieces of `piece` octets.
codec::Reply parse_reply(codec::ReplyParser& parser, const std::string& octets, std::size_t piece) {
  codec::Reply reply;
  for (std::size_t at = 0; at < octets.size(); at += piece) {
    Bytes input = Bytes(octets).substr(at, piece);
    const auto complete = parser.parse(input, reply);
    REQUIRE(complete);
    if (*complete) {
      break;
    }
  }
  REQUIRE(reply.code != 0);
  return reply;
}

std::string random_refusal(std::mt19937& random) {
  const char* const words[] = {"daily",      "limit",        "exceeded", "too many",
                               "recipients", "messages",     "in",       "session",
                               "must",       "authenticate", "<a@b.c>",  "spf",
                               "Quota",      "4.7.1",        "RCPT",     "connection"};
  const std::string code = std::to_string(400 + random() % 200);
  const std::size_t lines = 1 + random() % 3;
  std::string octets;
  for (std::size_t line = 1; line <= lines; ++line) {
    octets += code + (line < lines ? "-" : " ");
    octets += random() % 2 == 0 ? "5." + std::to_string(random() % 8) + ".3 " : "";
    for (std::size_t i = random() % 6; i > 0; --i) {
      octets += std::string(words[random() % std::size(words)]) + " ";
    }
    octets += "\r\n";
  }
  return octets;
}

std::vector<ReplyRule> random_rules(std::mt19937& random) {
  const char* const texts[] = {"daily*limit",  "LIMIT", "recipients in",
                               "session*must", "quota", "exceeded"};
  const char* const statuses[] = {"", "", "", "5.5.3", "5.*", "4.7.1"};
  std::vector<ReplyRule> rules(random() % 6);
  for (ReplyRule& rule : rules) {
    rule.code = random() % 3 == 0 ? static_cast<std::uint16_t>(400 + random() % 200) : 0;
    rule.enhanced = statuses[random() % std::size(statuses)];
    rule.text = texts[random() % std::size(texts)];
    if (random() % 3 == 0) {
      rule.stage = stages_with_replies[random() % std::size(stages_with_replies)];
    }
    rule.scope = static_cast<RuleScope>(random() % protocol::rule_scope_count);
    rule.action = static_cast<RuleAction>(random() % protocol::rule_action_count);
  }
  return rules;
}

}  // namespace

TEST_CASE(
    "reply rules: a user's rule comes before the preset's, and both before the general ones") {
  const codec::Reply reply = {550, {5, 4, 5}, "Daily user sending limit exceeded", 1};
  const ReplyRule of_user = rule_with_text("sending limit", RuleAction::stop);
  const ReplyRule of_preset = rule_with_text("daily user", RuleAction::slow_down);
  CHECK(ReplyRules().rule(Stage::mail, reply) == Ruling{RuleScope::account, RuleAction::pause});
  CHECK(ReplyRules({}, {of_preset}).rule(Stage::mail, reply).action == RuleAction::slow_down);
  const ReplyRules both({of_user}, {of_preset});
  const Ruling ruling = both.rule(Stage::mail, reply);
  CHECK(ruling.action == RuleAction::stop);
  REQUIRE(ruling.rule != nullptr);
  CHECK(*ruling.rule == of_user);
  CHECK(both.rules().size() == 2);
}

TEST_CASE("reply rules: a rule fits when all that it says fits") {
  ReplyRule rule = rule_with_text("Too Many*here", RuleAction::pause);
  rule.code = 451;
  rule.enhanced = "4.7.5*";
  rule.stage = Stage::rcpt;
  const codec::Reply reply = {451, {4, 7, 512}, "Oh: TOO MANY of them\ncame HERE today", 2};
  CHECK(fits(rule, Stage::rcpt, reply));
  CHECK_FALSE(fits(rule, Stage::eod, reply));
  CHECK_FALSE(fits(rule, Stage::rcpt, {450, {4, 7, 512}, reply.text, 2}));
  CHECK_FALSE(fits(rule, Stage::rcpt, {451, {4, 7, 4}, reply.text, 2}));
  CHECK_FALSE(fits(rule, Stage::rcpt, {451, {}, reply.text, 2}));
  CHECK_FALSE(fits(rule, Stage::rcpt, {451, {4, 7, 512}, "here are too many", 1}));
  rule.stage.reset();
  rule.code = 0;
  rule.enhanced.clear();
  CHECK(fits(rule, Stage::eod, {550, {}, reply.text, 2}));
}

TEST_CASE("reply rules: words go on over the lines of a reply, between the statuses of each") {
  codec::ReplyParser parser;
  const codec::Reply reply =
      parse_reply(parser, "550-5.4.5 Daily user sending\r\n550 5.4.5 limit exceeded\r\n", 100);
  CHECK(fits(rule_with_text("user sending limit", RuleAction::pause), Stage::mail, reply));
}

TEST_CASE("reply rules: words far behind in a long reply count") {
  const std::string text = "STOREDRV " + std::string(6000, 'x') + " QuotaExceededException";
  const codec::Reply reply = {554, {5, 2, 0}, text, 1};
  CHECK(fits(rule_with_text("quotaexceeded", RuleAction::pause), Stage::eod, reply));
}

TEST_CASE("reply rules: scopes and actions have names that are read back") {
  for (std::size_t i = 0; i < protocol::rule_scope_count; ++i) {
    const auto scope = static_cast<RuleScope>(i);
    CHECK(protocol::rule_scope_named(name_of(scope)) == scope);
  }
  for (std::size_t i = 0; i < protocol::rule_action_count; ++i) {
    const auto action = static_cast<RuleAction>(i);
    CHECK(protocol::rule_action_named(name_of(action)) == action);
  }
  CHECK_FALSE(protocol::rule_scope_named("endpoint"));
  CHECK_FALSE(protocol::rule_action_named("slow_down"));
}

TEST_CASE("general rules: before a message was given nobody's message is to blame") {
  const auto general = [](Stage stage, std::uint16_t code) {
    return protocol::general_ruling(stage, {code, {}, "No", 1});
  };
  CHECK(general(Stage::greeting, 421) == Ruling{RuleScope::session, RuleAction::reconnect});
  CHECK(general(Stage::greeting, 554) == Ruling{RuleScope::account, RuleAction::stop});
  CHECK(general(Stage::auth, 454) == Ruling{RuleScope::session, RuleAction::reconnect});
  CHECK(general(Stage::auth, 535) == Ruling{RuleScope::login, RuleAction::stop});
  CHECK(general(Stage::auth, 534) == Ruling{RuleScope::login, RuleAction::stop});
  CHECK(general(Stage::mail, 550) == Ruling{RuleScope::message, RuleAction::reject});
  CHECK(general(Stage::rcpt, 450) == Ruling{RuleScope::recipient, RuleAction::retry});
  CHECK(general(Stage::rcpt, 550) == Ruling{RuleScope::recipient, RuleAction::reject});
  CHECK(general(Stage::eod, 451) == Ruling{RuleScope::message, RuleAction::retry});
}

// However a server's octets are cut, the first rule that fits decides, and where none does the
// general rules do. A 4xx is never final by them.
TEST_CASE("reply rules: any reply gives one ruling, whatever the split") {
  std::mt19937 random(20261129);
  std::size_t by_rule = 0;
  for (int round = 0; round < 5000; ++round) {
    const std::string octets = random_refusal(random);
    const std::vector<ReplyRule> of_user = random_rules(random);
    const std::vector<ReplyRule> of_preset = random_rules(random);
    const ReplyRules rules(of_user, of_preset);
    const Stage stage = stages_with_replies[random() % std::size(stages_with_replies)];
    codec::ReplyParser whole;
    codec::ReplyParser in_pieces;
    const codec::Reply reply = parse_reply(whole, octets, octets.size());
    const Ruling ruling = rules.rule(stage, reply);
    INFO("round " << round << ": " << octets);
    REQUIRE(ruling == rules.rule(stage, parse_reply(in_pieces, octets, 1 + random() % 7)));
    const auto first =
        std::find_if(rules.rules().begin(), rules.rules().end(),
                     [&](const ReplyRule& rule) { return fits(rule, stage, reply); });
    if (first == rules.rules().end()) {
      REQUIRE(ruling == protocol::general_ruling(stage, reply));
      REQUIRE(ruling.rule == nullptr);
      REQUIRE((ruling.action != RuleAction::reject || reply.permanent()));
    } else {
      ++by_rule;
      REQUIRE(ruling == Ruling{first->scope, first->action, &*first});
    }
  }
  CHECK(by_rule > 500);
}

}  // namespace ringpost
