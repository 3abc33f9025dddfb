// What becomes of a message and of its session when a rule of the user's or of a preset fits.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "engine/protocol/reply_rules.h"
#include "tests/engine/protocol/support.h"
#include "tests/support/mail.h"

using namespace ringpost;
using protocol::ReplyRule;
using protocol::ReplyRules;
using protocol::RuleAction;
using protocol::RuleScope;
using protocol::test::Rig;
using test::Mail;

namespace {

using Heard = std::vector<std::string>;

ReplyRule rule_about(RuleScope scope, RuleAction action, std::uint32_t times = 1) {
  ReplyRule rule;
  rule.text = "Funny";
  rule.scope = scope;
  rule.action = action;
  rule.times = times;
  rule.hint = "do something";
  return rule;
}

Mail ruled_mail(const std::string& id) {
  return test::make_mail({.id = id, .recipients = {"r@b.example"}, .content = "x\r\n"});
}

// Ready, with one message that was taken as far as MAIL.
void begin(Rig& rig, Mail& mail, std::vector<ReplyRule> rules) {
  rig.options.reply_rules =
      std::make_shared<const ReplyRules>(std::move(rules), std::vector<ReplyRule>());
  rig.greet("250 HELP\r\n");
  rig.session.submit(mail.delivery, rig.now);
  rig.send();
}

// What is heard of the message when MAIL is refused.
std::string status_of(const ReplyRule& rule, const std::string& reply, bool& closes) {
  Rig rig;
  Mail mail = ruled_mail("one");
  begin(rig, mail, {rule});
  rig.receive(reply);
  CHECK(rig.listener.unruled.empty());
  REQUIRE(rig.listener.heard.size() > 1);
  closes = rig.session.closed();
  const std::string& heard = rig.listener.heard[1];
  return heard.substr(heard.rfind(' ') + 1);
}

}  // namespace

TEST_CASE("session rules: an action is carried out whatever the code says, or the nearest to it") {
  struct Row {
    RuleScope scope;
    RuleAction action;
    std::string status;
    bool closes;
  };
  using enum RuleScope;
  using enum RuleAction;
  for (const Row& row :
       {Row{message, reject, "rejected", false}, Row{sender, reject, "rejected", false},
        Row{message, retry, "deferred", false}, Row{session, reconnect, "deferred", false},
        Row{account, fewer_connections, "deferred", false},
        Row{session, slow_down, "deferred", false}, Row{account, slow_down, "unsent", false},
        Row{account, pause, "unsent", false}, Row{sender, pause, "deferred", false},
        Row{account, stop, "unsent", true}, Row{sender, stop, "unsent", false},
        Row{login, renew_token, "unsent", true}, Row{session, mistake, "unsent", false}}) {
    for (const char* const reply : {"550 5.7.1 funny thing\r\n", "450 funny thing\r\n"}) {
      CAPTURE(name_of(row.scope), name_of(row.action), reply);
      bool closes = false;
      CHECK(status_of(rule_about(row.scope, row.action), reply, closes) == row.status);
      CHECK(closes == row.closes);
    }
  }
  bool closes = false;
  CHECK(status_of(rule_about(message, reject, 2), "550 funny\r\n", closes) == "deferred");
  // Nothing is smaller than a transaction with one recipient.
  CHECK(status_of(rule_about(recipient, split), "450 funny\r\n", closes) == "deferred");
}

TEST_CASE(
    "session rules: behind other messages a session that has had its share ends for nothing") {
  for (const RuleAction action :
       {RuleAction::reconnect, RuleAction::fewer_connections, RuleAction::slow_down}) {
    Rig rig;
    Mail one = ruled_mail("one");
    Mail two = ruled_mail("two");
    begin(rig, one, {rule_about(RuleScope::session, action)});
    for (const char* const reply : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 ok\r\n"}) {
      rig.receive(reply);
      rig.send();
    }
    rig.session.submit(two.delivery, rig.now);
    rig.send();
    rig.receive("450 funny thing\r\n");
    CHECK(rig.listener.heard == Heard{"ready", "one r@b.example accepted", "one done",
                                      "two r@b.example unsent", "two done"});
    CHECK_FALSE(rig.session.wants_message());
  }
}

TEST_CASE("session rules: one that is too many ends for nothing where others go on") {
  for (const bool others_go_on : {true, false}) {
    CAPTURE(others_go_on);
    Rig rig;
    rig.listener.others_go_on = others_go_on;
    Mail mail = ruled_mail("one");
    begin(rig, mail, {rule_about(RuleScope::login, RuleAction::fewer_connections)});
    rig.receive("432 funny thing\r\n");
    CHECK(rig.listener.told_one_too_many == 1);
    CHECK(rig.listener.heard[1] ==
          std::string("one r@b.example ") + (others_go_on ? "unsent" : "deferred"));
    CHECK(rig.session.wants_message() == !others_go_on);
  }
}

TEST_CASE("session rules: a 421 that speaks of the rate costs no attempt, at any command") {
  const std::vector<std::string> taken = {"250 ok\r\n", "250 ok\r\n"};
  for (std::size_t before = 0; before <= taken.size(); ++before) {
    CAPTURE(before);
    Rig rig;
    Mail mail = ruled_mail("one");
    begin(rig, mail, {});
    for (std::size_t i = 0; i < before; ++i) {
      rig.receive(taken[i]);
      rig.send();
    }
    rig.receive("421 4.7.0 too fast, slow down\r\n");
    REQUIRE(rig.session.closed());
    CHECK(rig.listener.put_back_for_rate == 1);
  }
}

TEST_CASE("session rules: the hint of the rule is the reason that people read") {
  for (const RuleAction action : {RuleAction::reject, RuleAction::retry}) {
    Rig rig;
    Mail mail = ruled_mail("one");
    begin(rig, mail, {rule_about(RuleScope::message, action)});
    rig.receive("450 funny\r\n");
    REQUIRE(rig.listener.reasons.size() == 1);
    CHECK(rig.listener.reasons[0] == "do something");
  }
  Rig rig;
  Mail mail = ruled_mail("one");
  begin(rig, mail, {rule_about(RuleScope::account, RuleAction::stop)});
  rig.receive("550 5.7.1 funny\r\n");
  CHECK(rig.listener.reasons.back().find("do something: 550 5.7.1 funny") != std::string::npos);
}

TEST_CASE("session rules: a refusal that no rule fits is told once, and one that succeeds never") {
  Rig rig;
  Mail mail = ruled_mail("one");
  begin(rig, mail, {rule_about(RuleScope::message, RuleAction::reject)});
  rig.receive("250 funny\r\n");
  rig.send();
  rig.receive("250 funny\r\n");
  rig.send();
  rig.receive("354 funny\r\n");
  rig.send();
  rig.receive("554 5.6.0 strange\r\n");
  CHECK(rig.listener.unruled == Heard{"eod 554 strange"});
  CHECK(rig.listener.heard.at(1) == "one r@b.example rejected");
}

TEST_CASE("session rules: what is to be said several times is a retry before that") {
  struct Row {
    RuleScope scope;
    RuleAction action;
    protocol::SaidInARow said;
    std::string status;
    bool closes;
  };
  using enum RuleScope;
  using enum RuleAction;
  for (const Row& row : {Row{message, reject, {2, 9}, "deferred", false},
                         Row{message, reject, {3, 1}, "rejected", false},
                         Row{account, stop, {9, 2}, "deferred", false},
                         Row{account, stop, {1, 3}, "unsent", true}}) {
    CAPTURE(name_of(row.action), row.said.of_message, row.said.by_endpoint);
    Rig rig;
    rig.listener.said_in_a_row = row.said;
    Mail mail = ruled_mail("one");
    begin(rig, mail, {rule_about(row.scope, row.action, 3)});
    rig.receive("450 funny\r\n");
    CHECK(rig.listener.heard[1] == "one r@b.example " + row.status);
    CHECK(rig.session.closed() == row.closes);
  }
}

TEST_CASE("session rules: behind a mistake another session has the message, and the third stops") {
  for (const std::uint32_t said : {1u, 2u, 3u}) {
    CAPTURE(said);
    Rig rig;
    rig.listener.said_in_a_row = {1, said};
    Mail mail = ruled_mail("one");
    begin(rig, mail, {rule_about(RuleScope::session, RuleAction::mistake)});
    rig.receive("550 funny thing\r\n");
    CHECK(rig.listener.heard[1] == "one r@b.example unsent");
    CHECK(rig.listener.reasons[0] == "do something");
    CHECK_FALSE(rig.session.wants_message());
    CHECK(rig.session.closed() == (said == 3));
  }
  // Of one message alone it is that one's matter.
  Rig rig;
  rig.listener.said_in_a_row = {3, 1};
  Mail mail = ruled_mail("one");
  begin(rig, mail, {rule_about(RuleScope::session, RuleAction::mistake)});
  rig.receive("550 funny thing\r\n");
  CHECK(rig.listener.heard[1] == "one r@b.example deferred");
}
