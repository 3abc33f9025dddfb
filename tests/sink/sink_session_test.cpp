// What a client that behaves hears. Every dialogue is played at every cut of its octets.
#include <catch2/catch_test_macros.hpp>

#include "engine/server/server_session.h"
#include "tests/sink/support.h"

using namespace ringpost;
using namespace ringpost::sink;
using namespace ringpost::sink::test;

namespace {

const std::string ehlo_reply =
    "250-localhost greets client.example\r\n"
    "250-PIPELINING\r\n"
    "250-SIZE 52428800\r\n"
    "250-AUTH PLAIN LOGIN\r\n"
    "250-ENHANCEDSTATUSCODES\r\n"
    "250-8BITMIME\r\n"
    "250-DSN\r\n"
    "250-SMTPUTF8\r\n"
    "250-CHUNKING\r\n"
    "250 HELP\r\n";
const Exchange ehlo_exchange = {"EHLO client.example\r\n", ehlo_reply};
const Exchange quit = {"QUIT\r\n", "221 2.0.0 Bye\r\n"};

}  // namespace

TEST_CASE("session: one message, in step") {
  const Played played = require_dialogue({.exchanges = {
                                              ehlo_exchange,
                                              {"MAIL FROM:<a@b.example> SIZE=10\r\n", mail_ok},
                                              {"RCPT TO:<c@d.example>\r\n", rcpt_ok},
                                              {"DATA\r\n", go_ahead},
                                              {"..one\r\ntwo\r\n.\r\n", queued(1)},
                                              quit,
                                          }});
  REQUIRE(played.messages.size() == 1);
  REQUIRE(played.messages[0].content == ".one\r\ntwo\r\n");
  REQUIRE(played.messages[0].bytes == 11);
  REQUIRE(played.messages[0].sender == "a@b.example");
  REQUIRE(played.messages[0].recipients == "c@d.example\n");
  REQUIRE_FALSE(played.messages[0].chunked);
  REQUIRE(played.next == Next::close);
  REQUIRE(played.has_quit);
  // SIZE=10 is not 11 octets, and nothing else was wrong.
  REQUIRE(played.tally[Violation::size_mismatch] == 1);
  REQUIRE(played.tally.violations_total() == 1);
}

TEST_CASE("session: content, end of data and the next group in one flight") {
  const std::string group = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n";
  const Played played = require_dialogue(
      {.exchanges = {
           ehlo_exchange,
           {group, mail_ok + rcpt_ok + rcpt_ok + go_ahead},
           {"Subject: 1\r\n\r\nx\r\n.\r\n" + group,
            queued(1) + mail_ok + rcpt_ok + rcpt_ok + go_ahead},
           {"Subject: 2\r\n\r\ny\r\n.\r\nQUIT\r\n", queued(2) + "221 2.0.0 Bye\r\n"},
       }});
  REQUIRE(played.messages.size() == 2);
  REQUIRE(played.messages[1].recipients == "c@d\ne@f\n");
  REQUIRE(played.tally.violations_total() == 0);
  REQUIRE(played.tally[Count::recipients_accepted] == 4);
  REQUIRE(played.tally[Count::commands] == 10);
}

TEST_CASE("session: many messages with BDAT in one flight") {
  std::string says;
  std::string hears;
  for (int i = 1; i <= 4; ++i) {
    says += "RSET\r\nMAIL FROM:<a@b> SIZE=7\r\nRCPT TO:<c@d>\r\nBDAT 7 LAST\r\n.\r\n.a\r\n";
    hears += ok + mail_ok + rcpt_ok + queued(i);
  }
  const Played played = require_dialogue({.exchanges = {ehlo_exchange, {says, hears}, quit}});
  REQUIRE(played.messages.size() == 4);
  REQUIRE(played.messages[3].content == ".\r\n.a\r\n");
  REQUIRE(played.messages[3].chunked);
  REQUIRE(played.tally.violations_total() == 0);
}

TEST_CASE("session: a message in several chunks, the last of them empty") {
  const Played played = require_dialogue({.exchanges = {
                                              ehlo_exchange,
                                              {"MAIL FROM:<>\r\nRCPT TO:<c@d>\r\nBDAT 4\r\nab\r\n"
                                               "BDAT 3\r\ncd\rBDAT 1\r\n\nBDAT 0 LAST\r\n",
                                               mail_ok + rcpt_ok +
                                                   "250 2.0.0 4 octets taken\r\n"
                                                   "250 2.0.0 3 octets taken\r\n"
                                                   "250 2.0.0 1 octets taken\r\n" +
                                                   queued(1)},
                                              quit,
                                          }});
  REQUIRE(played.messages.at(0).content == "ab\r\ncd\r\n");
  REQUIRE(played.messages.at(0).sender.empty());
  REQUIRE(played.tally.violations_total() == 0);
}

TEST_CASE("session: an empty message by DATA and by BDAT") {
  const Played played = require_dialogue(
      {.exchanges = {
           ehlo_exchange,
           {"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", mail_ok + rcpt_ok + go_ahead},
           {".\r\n", queued(1)},
           {"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 0 LAST\r\n", mail_ok + rcpt_ok + queued(2)},
           quit}});
  REQUIRE(played.messages.size() == 2);
  REQUIRE(played.messages[0].bytes == 0);
  REQUIRE(played.messages[1].chunked);
}

TEST_CASE("session: refusals hang on addresses and hit nothing else") {
  const Played played = require_dialogue(
      {.exchanges = {
           ehlo_exchange,
           {"MAIL FROM:<reject-mail@b>\r\n", "550 5.1.8 Sender refused, as its address asks\r\n"},
           {"MAIL FROM:<defer-mail-1@b>\r\n", "450 4.1.8 Sender deferred, as its address asks\r\n"},
           {"MAIL FROM:<reject@b>\r\n", mail_ok},
           {"RCPT TO:<reject@d>\r\nRCPT TO:<reject-x@d>\r\nRCPT TO:<defer@d>\r\nRCPT TO:<c@d>\r\n",
            "550 5.1.1 No such user, as its address asks\r\n"
            "550 5.1.1 No such user, as its address asks\r\n"
            "450 4.2.0 Recipient deferred, as its address asks\r\n" +
                rcpt_ok},
           {"DATA\r\n", go_ahead},
           {"x\r\n.\r\n", queued(1)},
           {"MAIL FROM:<a@b>\r\nRCPT TO:<reject-data@d>\r\nBDAT 3 LAST\r\nx\r\n",
            mail_ok + rcpt_ok + "554 5.7.1 Message refused, as an address asks\r\n"},
           {"MAIL FROM:<a@b>\r\nRCPT TO:<defer-data@d>\r\nRCPT TO:<c@d>\r\nBDAT 3 LAST\r\nx\r\n",
            mail_ok + rcpt_ok + rcpt_ok + "451 4.3.0 Message deferred, as an address asks\r\n"},
           {"MAIL FROM:<a@b>\r\nRCPT TO:<reject-data@d>\r\nRCPT TO:<defer-data@d>\r\nBDAT 0 "
            "LAST\r\n",
            mail_ok + rcpt_ok + rcpt_ok + "554 5.7.1 Message refused, as an address asks\r\n"},
           quit,
       }});
  REQUIRE(played.messages.size() == 1);
  REQUIRE(played.messages[0].recipients == "c@d\n");
  REQUIRE(played.tally[Count::senders_refused] == 2);
  REQUIRE(played.tally[Count::recipients_refused] == 2);
  REQUIRE(played.tally[Count::recipients_deferred] == 1);
  REQUIRE(played.tally[Count::messages_refused] == 2);
  REQUIRE(played.tally[Count::messages_deferred] == 1);
  REQUIRE(played.tally.violations_total() == 0);
}

TEST_CASE("session: a pipelined group behind a refused MAIL is refused and no violation") {
  const Played played = require_dialogue(
      {.exchanges = {
           ehlo_exchange,
           {"MAIL FROM:<reject-mail@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n",
            "550 5.1.8 Sender refused, as its address asks\r\n"
            "503 5.5.1 MAIL comes first\r\n503 5.5.1 MAIL comes first\r\n"},
           {"RSET\r\nMAIL FROM:<reject-mail@b>\r\nRCPT TO:<c@d>\r\nBDAT 6 LAST\r\nQUIT\r\nRSET\r\n",
            ok +
                "550 5.1.8 Sender refused, as its address asks\r\n"
                "503 5.5.1 MAIL comes first\r\n503 5.5.1 MAIL comes first\r\n" +
                ok},
           quit,
       }});
  REQUIRE(played.messages.empty());
  REQUIRE(played.tally.violations_total() == 0);
}

TEST_CASE("session: when all recipients are refused the transaction stays open") {
  const std::string refused = "550 5.1.1 No such user, as its address asks\r\n";
  const Played played = require_dialogue(
      {.exchanges = {
           ehlo_exchange,
           {"MAIL FROM:<first@b>\r\nRCPT TO:<reject@d>\r\nBDAT 3 LAST\r\nx\r\n",
            mail_ok + refused + "503 5.5.1 No recipient was accepted\r\n"},
           // Without RSET the message would go out under the first sender.
           {"MAIL FROM:<second@b>\r\nRCPT TO:<c@d>\r\nBDAT 3 LAST\r\ny\r\n",
            "503 5.5.1 There is a sender already; RSET first\r\n" + rcpt_ok + queued(1)},
           {"RSET\r\nMAIL FROM:<third@b>\r\nRCPT TO:<c@d>\r\nBDAT 3 LAST\r\nz\r\n",
            ok + mail_ok + rcpt_ok + queued(2)},
           quit,
       }});
  REQUIRE(played.messages.size() == 2);
  REQUIRE(played.messages[0].sender == "first@b");
  REQUIRE(played.messages[1].sender == "third@b");
  REQUIRE(played.tally[Violation::sequence] == 1);
}

TEST_CASE("session: the 421 behind the last message that a session may have") {
  ServerOptions options = sink_session_options();
  options.messages_max = 1;
  const Played played = require_dialogue(
      {.options = options,
       .exchanges = {
           ehlo_exchange,
           {"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 0 LAST\r\nRSET\r\nMAIL FROM:<a@b>\r\n"
            "RCPT TO:<c@d>\r\n",
            mail_ok + rcpt_ok + queued(1) + ok +
                "421 4.7.0 Enough messages for one session\r\n"}}});
  REQUIRE(played.next == Next::close);
  REQUIRE_FALSE(played.has_quit);
  REQUIRE(played.tally.violations_total() == 0);
}

TEST_CASE("session: each extension can be taken away") {
  ServerOptions options = sink_session_options();
  options.extensions = server::no_extensions;
  options.extensions.starttls = true;
  const Played played = require_dialogue(
      {.options = options,
       .policy = {.starttls = true},
       .exchanges = {
           {"EHLO [127.0.0.1]\r\n",
            "250-localhost greets [127.0.0.1]\r\n250-STARTTLS\r\n250 HELP\r\n"},
           {"MAIL FROM:<a@b>\r\n", "250 Ok\r\n"},
           {"RCPT TO:<c@d>\r\n", "250 Ok\r\n"},
           {"DATA\r\n", go_ahead},
           {"x\r\n.\r\n", "250 Ok: queued as 7-1\r\n"},
           {"MAIL FROM:<a@b> SIZE=1\r\n", "555 Parameter of an extension that is not offered\r\n"},
           {"BDAT 4 LAST\r\n", "502 BDAT is not offered\r\n"},
       }});
  REQUIRE(played.next == Next::close);
  REQUIRE(played.tally[Violation::unannounced] == 2);
  REQUIRE(played.tally.violations_total() == 2);
}

TEST_CASE("session: AUTH in one round trip may have a transaction behind it") {
  const Played played = require_dialogue(
      {.policy = {.auth_in_clear = true, .auth_required = true},
       .exchanges = {ehlo_exchange,
                     {"AUTH PLAIN AHJpbmdwb3N0AHJpbmdwb3N0\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"
                      "BDAT 0 LAST\r\n",
                      "235 2.7.0 Welcome\r\n" + mail_ok + rcpt_ok + queued(1)},
                     quit}});
  REQUIRE(played.messages.at(0).user == "ringpost");
  REQUIRE(played.tally.violations_total() == 0);
}

TEST_CASE("session: a wrong password is no reason to let mail in, and no violation") {
  const Played played = require_dialogue(
      {.policy = {.auth_in_clear = true, .auth_required = true},
       .exchanges = {ehlo_exchange,
                     {"AUTH PLAIN AHJpbmdwb3N0AHdyb25n\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n",
                      "535 5.7.8 User or password is wrong\r\n530 5.7.0 AUTH comes first\r\n"
                      "503 5.5.1 MAIL comes first\r\n"},
                     {"AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n"},
                     {"cmluZ3Bvc3Q=\r\n", "334 UGFzc3dvcmQ6\r\n"},
                     {"cmluZ3Bvc3Q=\r\n", "235 2.7.0 Welcome\r\n"},
                     {"MAIL FROM:<a@b> AUTH=<>\r\n", mail_ok},
                     quit}});
  REQUIRE(played.tally[Count::auth_failed] == 1);
  REQUIRE(played.tally[Count::auth_succeeded] == 1);
  REQUIRE(played.tally.violations_total() == 0);
}

TEST_CASE("session: guessing passwords ends it") {
  Dialogue dialogue{.policy = {.auth_in_clear = true}, .exchanges = {ehlo_exchange}};
  const std::string wrong = "535 5.7.8 User or password is wrong\r\n";
  for (int i = 0; i < 4; ++i) {
    dialogue.exchanges.push_back({"AUTH PLAIN AHJpbmdwb3N0AHdyb25n\r\n", wrong});
  }
  dialogue.exchanges.push_back(
      {"AUTH PLAIN AHJpbmdwb3N0AHdyb25n\r\n", wrong + "421 4.7.0 Too many wrong passwords\r\n"});
  REQUIRE(require_dialogue(dialogue).next == Next::close);
}

TEST_CASE("session: STARTTLS forgets what was before") {
  SinkSession sink(sink_session_options(), {.starttls = true});
  ServerSession& session = sink.session;
  ReplyQueue& replies = sink.replies;
  const auto say = [&](Bytes text) {
    const Next next = session.receive(text);
    replies.mark(Instant::min());
    const std::string heard(replies.due(Instant::min()));
    replies.consume(heard.size());
    session.replies_left();
    return std::pair(next, heard);
  };
  session.greet();
  say("");
  REQUIRE(say("EHLO a\r\n").second.find("250-STARTTLS\r\n") != std::string::npos);
  REQUIRE(say("AUTH PLAIN AHJpbmdwb3N0AHJpbmdwb3N0\r\n").second ==
          "538 5.7.11 TLS comes first\r\n");
  REQUIRE(say("MAIL FROM:<a@b>\r\n").second == "530 5.7.0 STARTTLS and AUTH come first\r\n");
  REQUIRE(say("STARTTLS\r\n") == std::pair(Next::start_tls, std::string("220 2.0.0 Go ahead\r\n")));
  session.tls_started("TLSv1.3");
  REQUIRE(say("MAIL FROM:<a@b>\r\n").second == "503 5.5.1 EHLO comes first\r\n");
  const std::string offered = say("EHLO a\r\n").second;
  REQUIRE(offered.find("STARTTLS") == std::string::npos);
  REQUIRE(offered.find("250-AUTH PLAIN LOGIN\r\n") != std::string::npos);
  REQUIRE(say("STARTTLS\r\n").second == "503 5.5.1 TLS is active already\r\n");
  REQUIRE(say("AUTH PLAIN AHJpbmdwb3N0AHJpbmdwb3N0\r\n").second == "235 2.7.0 Welcome\r\n");
  REQUIRE(say("AUTH PLAIN AHJpbmdwb3N0AHJpbmdwb3N0\r\n").second ==
          "503 5.5.1 Logged in already\r\n");
  REQUIRE(say("MAIL FROM:<a@b>\r\n").second == mail_ok);
}

TEST_CASE("session: too big is refused at MAIL, at the end of data and in mid-BDAT") {
  ServerOptions options = sink_session_options();
  options.size_max = 4;
  Dialogue dialogue{.options = options};
  dialogue.exchanges = {
      {"EHLO client.example\r\n",
       std::string(ehlo_reply).replace(ehlo_reply.find("52428800"), 8, "4")},
      {"MAIL FROM:<a@b> SIZE=5\r\n", "552 5.3.4 Message is too big\r\n"},
      {"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", mail_ok + rcpt_ok + go_ahead},
      {"abc\r\n.\r\n", "552 5.3.4 Message is too big\r\n"},
      {"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 5\r\nabc\r\nBDAT 1\r\nxBDAT 2 LAST\r\nyzNOOP\r\n",
       mail_ok + rcpt_ok +
           "552 5.3.4 Message is too big\r\n503 5.5.1 RSET comes first: a chunk was refused\r\n"
           "503 5.5.1 RSET comes first: a chunk was refused\r\n250 2.0.0 Ok\r\n"},
      {"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 4 LAST\r\nab\r\n", mail_ok + rcpt_ok + queued(1)},
      quit,
  };
  REQUIRE(require_dialogue(dialogue).tally.violations_total() == 0);
}

TEST_CASE("session: one recipient too many is deferred and the others keep") {
  ServerOptions options = sink_session_options();
  options.recipients_max = 2;
  const Played played = require_dialogue(
      {.options = options,
       .exchanges = {
           ehlo_exchange,
           {"MAIL FROM:<a@b>\r\nRCPT TO:<1@d>\r\nRCPT TO:<2@d>\r\nRCPT TO:<3@d>\r\n"
            "BDAT 0 LAST\r\n",
            mail_ok + rcpt_ok + rcpt_ok + "452 4.5.3 Too many recipients\r\n" + queued(1)},
           quit}});
  REQUIRE(played.messages.at(0).recipients == "1@d\n2@d\n");
}

TEST_CASE("session: the small commands") {
  require_dialogue({.exchanges = {
                        {"HELO client.example\r\n", "250 localhost\r\n"},
                        {"EHLO\r\n", "501 5.5.4 A domain or an address literal belongs here\r\n"},
                        ehlo_exchange,
                        {"NOOP whatever\r\n", ok},
                        {"VRFY c@d\r\n", "252 2.1.5 Send some mail, and see\r\n"},
                        {"HELP\r\n", "214 2.0.0 RFC 5321 is the manual\r\n"},
                        {"EXPN x\r\n", "500 5.5.2 No such command\r\n"},
                        {"RSET x\r\n", "501 5.5.4 No arguments belong here\r\n"},
                        {"rset\r\n", ok},
                        quit,
                    }});
}

TEST_CASE("session: a connection that breaks leaves no message behind") {
  const Played played = require_dialogue(
      {.exchanges = {ehlo_exchange,
                     {"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", mail_ok + rcpt_ok + go_ahead},
                     {"all of it\r\n.\r", ""}}});
  REQUIRE(played.messages.empty());
  REQUIRE(played.tally[Count::messages_accepted] == 0);
}
