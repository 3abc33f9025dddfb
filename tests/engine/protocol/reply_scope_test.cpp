// What refusals are about, in the words of real servers and providers.
#include "engine/protocol/reply_scope.h"

#include <catch2/catch_test_macros.hpp>

namespace ringpost {

namespace {

using protocol::ReplyScope;

codec::Reply reply(std::uint16_t code, EnhancedStatus enhanced, Bytes text) {
  return {code, enhanced, text, 1};
}

struct Row {
  Stage stage;
  std::uint16_t code;
  EnhancedStatus enhanced;
  Bytes text;
  ReplyScope scope;
};

}  // namespace

TEST_CASE("reply scope: a refusal is about what its code and words say together") {
  const Row rows[] = {
      {Stage::mail, 530, {5, 7, 0}, "Authentication required", ReplyScope::login},
      {Stage::mail, 530, {5, 7, 57}, "Client not authenticated to send mail", ReplyScope::login},
      {Stage::rcpt, 550, {}, "SMTP authentication is required.", ReplyScope::login},
      {Stage::eod,
       550,
       {5, 7, 26},
       "The sender must authenticate with at least one of SPF or DKIM",
       ReplyScope::message},
      {Stage::mail, 550, {5, 7, 1}, "must authenticate the domain by DKIM", ReplyScope::message},
      {Stage::mail,
       452,
       {4, 5, 3},
       "Too many recipients: Too many messages sent",
       ReplyScope::session},
      {Stage::mail, 451, {}, "too many messages in this session", ReplyScope::session},
      {Stage::mail, 421, {}, "too many messages in this connection", ReplyScope::session},
      {Stage::mail, 452, {4, 3, 1}, "Insufficient system storage", ReplyScope::message},
      {Stage::rcpt, 452, {4, 5, 3}, "Too many recipients", ReplyScope::recipients},
      {Stage::rcpt, 431, {}, "Too many recipients.", ReplyScope::recipients},
      {Stage::rcpt, 452, {4, 0, 0}, "<a@b.example> too many recipients", ReplyScope::recipients},
      {Stage::rcpt, 421, {4, 7, 0}, "RCPT sent too many times", ReplyScope::recipients},
      {Stage::rcpt, 450, {}, "Maximum of RCPT commands exceeded", ReplyScope::recipients},
      {Stage::rcpt, 550, {5, 7, 1}, "RCPT TO is not allowed here", ReplyScope::message},
      {Stage::rcpt, 552, {}, "too many", ReplyScope::recipients},
      {Stage::rcpt, 452, {4, 2, 2}, "The mailbox is over its quota", ReplyScope::message},
      {Stage::eod,
       554,
       {},
       "Transaction failed: Recipient count exceeds 50.",
       ReplyScope::recipients},
      {Stage::eod, 552, {5, 3, 4}, "Message size exceeds fixed limit", ReplyScope::message},
      {Stage::eod, 552, {}, "too much mail data", ReplyScope::message},
      {Stage::mail, 550, {5, 4, 5}, "Daily user sending limit exceeded", ReplyScope::quota},
      {Stage::eod, 454, {}, "Throttling failure: Daily message quota exceeded.", ReplyScope::quota},
      {Stage::data, 454, {}, "Throttling failure: Maximum sending rate exceeded", ReplyScope::rate},
      {Stage::mail, 450, {4, 7, 1}, "Error: too much mail from 192.0.2.1", ReplyScope::rate},
      {Stage::eod, 421, {4, 7, 0}, "You are sending too fast, slow down", ReplyScope::rate},
      {Stage::rcpt, 451, {}, "Rate limit exceeded: 30 per second", ReplyScope::rate},
      {Stage::rcpt,
       450,
       {4, 2, 1},
       "The user you are trying to contact is receiving mail too quickly",
       ReplyScope::message},
      {Stage::rcpt, 450, {}, "too many messages to this mailbox, slow down", ReplyScope::message},
      {Stage::eod, 550, {5, 7, 1}, "You send too fast", ReplyScope::message},
      {Stage::rcpt, 550, {5, 1, 1}, "No such user here", ReplyScope::message},
      {Stage::rcpt, 550, {5, 4, 5}, "Routing loop detected", ReplyScope::message},
      {Stage::eod, 554, {5, 7, 1}, "Message refused as spam", ReplyScope::message},
  };
  for (const Row& row : rows) {
    INFO(row.code << " " << row.text);
    CHECK(protocol::scope_of(row.stage, reply(row.code, row.enhanced, row.text)) == row.scope);
  }
}

TEST_CASE("reply scope: what is about a command is told by code or by status") {
  CHECK(protocol::is_about_command(reply(503, {}, "Bad sequence")));
  CHECK(protocol::is_about_command(reply(500, {5, 5, 1}, "Pipelining not supported")));
  CHECK(protocol::is_about_command(reply(554, {5, 5, 0}, "Synchronization error")));
  CHECK(protocol::is_about_command(reply(421, {}, "Bye")));
  CHECK_FALSE(protocol::is_about_command(reply(550, {5, 1, 1}, "Nobody")));
  CHECK_FALSE(protocol::is_about_command(reply(452, {4, 5, 3}, "Too many recipients")));
}

TEST_CASE("reply scope: the number that a server names is the first that can be meant") {
  CHECK(protocol::number_below("Recipient count exceeds 50.", 60) == 50);
  CHECK(protocol::number_below("too many: 100 of at most 20", 60) == 20);
  CHECK(protocol::number_below("exceeds 50", 50) == 0);
  CHECK(protocol::number_below("99999999999999999999 is too many", 60) == 0);
  CHECK(protocol::number_below("", 60) == 0);
}

TEST_CASE("reply scope: a server that counts errors says so") {
  CHECK(protocol::says_too_many_errors("Error: too many errors"));
  CHECK(protocol::says_too_many_errors("Too many nonmail commands"));
  CHECK_FALSE(protocol::says_too_many_errors("Too many messages in this connection"));
}

TEST_CASE("reply scope: behind what a session has sent, too many messages may be its own") {
  using protocol::may_be_full_session;
  for (const Stage stage : {Stage::rcpt, Stage::data, Stage::eod}) {
    CHECK(may_be_full_session(stage, reply(451, {}, "Too many messages, try later")));
    CHECK(may_be_full_session(stage, reply(450, {4, 7, 1},
                                           "Maximum number of mails reached, "
                                           "limit 5")));
    CHECK_FALSE(may_be_full_session(stage, reply(550, {}, "Too many messages")));
    CHECK_FALSE(may_be_full_session(stage, reply(451, {}, "not now")));
    CHECK_FALSE(may_be_full_session(stage, reply(452, {4, 2, 2}, "too many messages")));
    CHECK_FALSE(may_be_full_session(stage, reply(451, {}, "The recipient has too many messages")));
    CHECK_FALSE(may_be_full_session(stage, reply(451, {}, "Too many messages per hour")));
    CHECK_FALSE(may_be_full_session(stage, reply(451, {}, "too many recipients")));
  }
  CHECK(may_be_full_session(Stage::mail, reply(451, {}, "not now")));
  CHECK_FALSE(may_be_full_session(Stage::mail, reply(550, {}, "too many messages")));
}

}  // namespace ringpost
