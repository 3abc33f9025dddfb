// Rules that are written down and read again.
#include "tools/presets/reply_rule_setting.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

#include "engine/protocol/unmatched_replies.h"
#include "tools/presets/preset_list.h"

namespace ringpost::cli {

namespace {

using protocol::ReplyRule;

ReplyRule rule_read_from(const std::string& text) {
  const toml::table root = toml::parse(text);
  const auto rule = read_reply_rule(*root.get("reply")->as_array()->get(0)->as_table(), "test");
  REQUIRE(rule);
  return *rule;
}

std::string complaint_about_rule(const std::string& text) {
  const toml::table root = toml::parse("[[reply]]\n" + text);
  const auto rule = read_reply_rule(*root.get("reply")->as_array()->get(0)->as_table(), "test");
  return rule ? "" : usage_error_of(rule.error(), "f").message;
}

}  // namespace

TEST_CASE("reply rule setting: each rule of each preset is the same when written and read again") {
  std::size_t rules = 0;
  for (const PresetText& each : preset_texts()) {
    const auto preset = load_preset(each.name);
    REQUIRE(preset);
    for (ReplyRule rule : preset->replies) {
      ReplyRule again = rule_read_from(reply_rule_text(rule, "[[reply]]"));
      CHECK(again.origin == "test, line 1");
      again.origin = rule.origin;
      CHECK(again == rule);
      ++rules;
    }
  }
  CHECK(rules > 100);
}

TEST_CASE("reply rule setting: any text is quoted so that it is read as it was") {
  ReplyRule rule;
  rule.text = "say \"no\" \\ and\ttab";
  rule.hint = "line\nbreak";
  rule.action = protocol::RuleAction::reject;
  const ReplyRule again = rule_read_from(reply_rule_text(rule, "[[reply]]"));
  CHECK(again.text == rule.text);
  CHECK(again.hint == rule.hint);
}

TEST_CASE("reply rule setting: the rule that is proposed for a refusal fits it when it is read") {
  const codec::Reply reply = {550, {5, 7, 1}, "<a@b.example>: Sender address rejected: id 4711", 1};
  protocol::UnmatchedReplies unmatched;
  unmatched.note(Stage::rcpt, reply, protocol::ReplyRules().rule(Stage::rcpt, reply));
  const std::string text =
      reply_rule_text(unmatched.most_frequent(1).at(0).rule(), "[[endpoint.news.reply]]");
  CHECK(text ==
        "[[endpoint.news.reply]]\ncode = 550\nenhanced = \"5.7.1\"\n"
        "text = \"Sender address rejected: id\"\nstage = \"rcpt\"\nscope = \"recipient\"\n"
        "action = \"reject\"\n");
  const std::string as_preset = "[[reply]]" + text.substr(text.find('\n'));
  CHECK(fits(rule_read_from(as_preset), Stage::rcpt, reply));
}

TEST_CASE("reply rule setting: what is wrong with a rule is said") {
  const std::string good = "text = \"x\"\nscope = \"login\"\naction = \"stop\"\n";
  CHECK(complaint_about_rule(good).empty());
  CHECK(complaint_about_rule(good + "times = 3\n").empty());
  CHECK(complaint_about_rule("").find("needs text") != std::string::npos);
  CHECK(complaint_about_rule("").find("needs scope") != std::string::npos);
  CHECK(complaint_about_rule("").find("needs action") != std::string::npos);
  CHECK(complaint_about_rule(good + "stage = \"quit\"\n").starts_with("f:5:9: unknown stage"));
  CHECK(complaint_about_rule(good + "times = 0\n").starts_with("f:5:9: times takes a number"));
  CHECK(complaint_about_rule(good + "codes = 550\n").find("did you mean \"code\"") !=
        std::string::npos);
  for (const char* const wrong : {"2.0.0", "5", "5.7", "5.7.", "5..1", "5.7.1.1", "*", "5.x.1"}) {
    INFO(wrong);
    CHECK(complaint_about_rule(good + "enhanced = \"" + wrong + "\"\n").starts_with("f:5:12: "));
  }
  for (const char* const right : {"5.7.1", "4.7.5*", "5.*", "4.7.*"}) {
    INFO(right);
    CHECK(complaint_about_rule(good + "enhanced = \"" + right + "\"\n").empty());
  }
}

}  // namespace ringpost::cli
