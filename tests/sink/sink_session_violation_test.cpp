// What a client hears, and what is written down about it, when it does not behave.
#include <catch2/catch_test_macros.hpp>

#include "engine/server/server_session.h"
#include "tests/sink/support.h"

using namespace ringpost;
using namespace ringpost::sink;
using namespace ringpost::sink::test;

namespace {

const std::string transaction = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
const std::string transaction_ok = mail_ok + rcpt_ok;

// The reply to EHLO is another test's business: HELO is short, but offers no pipelining.
Dialogue behind_ehlo(const std::vector<Exchange>& exchanges,
                     ServerOptions options = sink_session_options()) {
  Dialogue dialogue{.options = options};
  const Exchange ehlo{"EHLO x\r\n", {}};
  dialogue.exchanges = {ehlo};
  dialogue.exchanges[0].hears = play(dialogue).heard[0];
  dialogue.exchanges.insert(dialogue.exchanges.end(), exchanges.begin(), exchanges.end());
  return dialogue;
}

// Plays it and requires so many violations of one kind and none of any other.
Played require_violations(const Dialogue& dialogue, Violation violation, std::uint64_t count) {
  Played played = require_dialogue(dialogue);
  INFO(name_of(violation));
  REQUIRE(played.tally[violation] == count);
  REQUIRE(played.tally.violations_total() == count);
  return played;
}

Played require_content_violation(const std::string& content, const std::string& reply,
                                 Violation violation, std::uint64_t count) {
  return require_violations(behind_ehlo({{transaction + "DATA\r\n", transaction_ok + go_ahead},
                                         {content + ".\r\n", reply},
                                         {"RSET\r\n", ok}}),
                            violation, count);
}

}  // namespace

TEST_CASE("violation: a command that does not end with CRLF is answered and not obeyed") {
  require_violations(behind_ehlo({{"RSET\nNOOP\r\n", "554 5.6.0 Bare line feed\r\n" + ok}}),
                     Violation::bare_lf, 1);
  require_violations(behind_ehlo({{"RSET\r\r\n", "554 5.6.0 Bare carriage return\r\n"}}),
                     Violation::bare_cr, 1);
  require_violations(behind_ehlo({{std::string("NO\0OP\r\n", 7), "554 5.6.0 NUL\r\n"}}),
                     Violation::nul, 1);
}

TEST_CASE("violation: bare CR, bare LF and NUL in content have it refused") {
  require_content_violation("a\nb\n\r\n", "554 5.6.0 Bare line feed\r\n", Violation::bare_lf, 2);
  require_content_violation("a\rb\r\n", "554 5.6.0 Bare carriage return\r\n", Violation::bare_cr,
                            1);
  require_content_violation(std::string("a\0b\r\n", 5), "554 5.6.0 NUL\r\n", Violation::nul, 1);
  require_violations(behind_ehlo({{transaction + "BDAT 3 LAST\r\na\nb",
                                   transaction_ok + "554 5.6.0 Bare line feed\r\n"}}),
                     Violation::bare_lf, 1);
}

TEST_CASE("violation: nothing is smuggled behind a false end of data") {
  const Played played =
      require_dialogue(behind_ehlo({{transaction + "DATA\r\n", transaction_ok + go_ahead},
                                    {"x\n.\r\nMAIL FROM:<evil@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\n",
                                     "554 5.6.0 Bare line feed\r\n"}}));
  REQUIRE(played.messages.empty());
  REQUIRE(played.tally[Count::commands] == 4);
}

TEST_CASE("violation: long lines are counted, and refused only as commands") {
  require_content_violation(std::string(999, 'x') + "\r\n", queued(), Violation::long_content_line,
                            1);
  const std::string fits = "NOOP " + std::string(505, 'x') + "\r\n";
  require_violations(behind_ehlo({{fits, ok}}), Violation::long_command_line, 0);
  require_violations(behind_ehlo({{"NOOP x" + fits.substr(5), "500 5.5.2 Line too long\r\n"}}),
                     Violation::long_command_line, 1);
}

TEST_CASE("violation: a line without end costs its octets and no memory") {
  const std::string endless = "NOOP " + std::string(20'000, 'x');
  Dialogue dialogue =
      behind_ehlo({{endless, ""}, {"\r\nNOOP\r\n", "500 5.5.6 Line too long\r\n" + ok}});
  const Played played = play(dialogue);
  REQUIRE(played.heard[2] == dialogue.exchanges[2].hears);
  REQUIRE(played.tally[Violation::long_command_line] == 1);
}

TEST_CASE("violation: a dot that was not doubled") {
  require_content_violation(".x\r\n", queued(), Violation::stuffing, 1);
}

TEST_CASE("violation: 8-bit content needs BODY=8BITMIME") {
  require_content_violation("\xC3\xB6\r\n", queued(), Violation::undeclared_8bit, 1);
  require_violations(
      behind_ehlo({{"MAIL FROM:<a@b> BODY=8BITMIME\r\nRCPT TO:<c@d>\r\nBDAT 2 LAST\r\n\xC3\xB6",
                    transaction_ok + queued()}}),
      Violation::undeclared_8bit, 0);
}

TEST_CASE("violation: SIZE that is not what came") {
  require_violations(behind_ehlo({{"MAIL FROM:<a@b> SIZE=3\r\nRCPT TO:<c@d>\r\nBDAT 2 LAST\r\n\r\n",
                                   transaction_ok + queued()}}),
                     Violation::size_mismatch, 1);
}

TEST_CASE("violation: octets behind what has to be the last of its group") {
  const std::string login = "AUTH PLAIN\r\n";
  require_violations(behind_ehlo({{"NOOP\r\nRSET\r\n", ok + ok}}), Violation::pipelining, 1);
  require_violations(
      behind_ehlo({{transaction + "DATA\r\nx\r\n.\r\n", transaction_ok + go_ahead + queued()}}),
      Violation::pipelining, 1);
  require_violations(
      behind_ehlo({{login + "AHJpbmdwb3N0AHJpbmdwb3N0\r\n", "334 \r\n235 2.7.0 Welcome\r\n"}}),
      Violation::pipelining, 1);
  // Once each time, however much there is: the reply is not awaited any more.
  require_violations(behind_ehlo({{"NOOP\r\nRSET\r\nRSET\r\nNOOP\r\n", ok + ok + ok + ok}}),
                     Violation::pipelining, 1);
  REQUIRE(play(behind_ehlo({{"QUIT\r\nRSET\r\n", ""}})).tally[Violation::pipelining] == 1);
  REQUIRE(play(behind_ehlo({{"EHLO x\r\nRSET\r\n", ""}})).tally[Violation::pipelining] == 1);
}

TEST_CASE("violation: octets before the greeting") {
  SinkSession sink(sink_session_options());
  sink.session.greet();
  sink.session.receive("EHLO x\r\n");
  REQUIRE(sink.tally[Violation::pipelining] == 1);
}

TEST_CASE("violation: any pipelining where it was not offered") {
  ServerOptions options = sink_session_options();
  options.extensions.pipelining = false;
  require_violations(behind_ehlo({{transaction, transaction_ok}}, options), Violation::pipelining,
                     1);
  require_violations(
      {.exchanges = {{"HELO x\r\n", "250 localhost\r\n"}, {transaction, transaction_ok}}},
      Violation::pipelining, 1);
}

TEST_CASE("violation: commands out of their order") {
  const std::string no_mail = "503 5.5.1 MAIL comes first\r\n";
  require_violations({.exchanges = {{"MAIL FROM:<a@b>\r\n", "503 5.5.1 EHLO comes first\r\n"}}},
                     Violation::sequence, 1);
  require_violations(behind_ehlo({{"RCPT TO:<c@d>\r\n", no_mail}}), Violation::sequence, 1);
  require_violations(behind_ehlo({{"DATA\r\n", no_mail}}), Violation::sequence, 1);
  require_violations(behind_ehlo({{"BDAT 4 LAST\r\nNOOPRSET\r\n", no_mail + ok}}),
                     Violation::sequence, 1);
  require_violations(
      behind_ehlo({{"MAIL FROM:<a@b>\r\nDATA\r\n", mail_ok + "503 5.5.1 RCPT comes first\r\n"}}),
      Violation::sequence, 1);
  require_violations(
      behind_ehlo({{"MAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\n",
                    mail_ok + "503 5.5.1 There is a sender already; RSET first\r\n"}}),
      Violation::sequence, 1);
}

TEST_CASE("violation: DATA and BDAT in one transaction") {
  const std::string taken = "250 2.0.0 2 octets taken\r\n";
  const std::string refused = "503 5.5.1 Not behind BDAT\r\n";
  require_violations(
      behind_ehlo({{transaction + "BDAT 2\r\n\r\nDATA\r\n", transaction_ok + taken + refused}}),
      Violation::sequence, 1);
  require_violations(behind_ehlo({{transaction + "BDAT 2\r\n\r\nRCPT TO:<e@f>\r\nRSET\r\n",
                                   transaction_ok + taken + refused + ok}}),
                     Violation::sequence, 1);
}

TEST_CASE("violation: a BDAT that cannot be read ends the session") {
  const Played played = require_violations(
      behind_ehlo({{transaction + "BDAT x LAST\r\nQUIT\r\n",
                    transaction_ok + "501 5.5.4 BDAT wants a count of octets\r\n"}}),
      Violation::syntax, 1);
  REQUIRE(played.next == Next::close);
}

TEST_CASE("violation: MAIL without a login, when none was tried") {
  Dialogue dialogue = behind_ehlo({{"MAIL FROM:<a@b>\r\n", "530 5.7.0 AUTH comes first\r\n"}});
  dialogue.policy.auth_required = true;
  require_violations(dialogue, Violation::unauthenticated, 1);
}

TEST_CASE("violation: octets in clear behind STARTTLS are refused, and the session ends") {
  Dialogue dialogue{.policy = {.starttls = true}};
  dialogue.exchanges = {{"EHLO x\r\n", {}},
                        {"STARTTLS\r\nEHLO y\r\n",
                         "220 2.0.0 Go ahead\r\n554 5.5.1 Octets in clear behind STARTTLS\r\n"}};
  dialogue.exchanges[0].hears = play(dialogue).heard[0];
  // Played whole only: the harness stops at start_tls, as a transport does once the 220 has left.
  const Played played = play(dialogue);
  REQUIRE(played.heard[1] == dialogue.exchanges[1].hears);
  REQUIRE(played.tally[Violation::plaintext_behind_starttls] == 1);
  REQUIRE(played.tally.violations_total() == 1);
  REQUIRE(played.next == Next::close);
}

TEST_CASE("violation: with strict_close the first one ends the session behind its reply") {
  ServerOptions options = sink_session_options();
  options.strict_close = true;
  const std::string farewell = "421 4.7.0 Closing after a violation\r\n";
  const Played played = require_dialogue(behind_ehlo(
      {{"RCPT TO:<c@d>\r\nRSET\r\n", "503 5.5.1 MAIL comes first\r\n" + farewell}}, options));
  REQUIRE(played.next == Next::close);
  require_dialogue(behind_ehlo({{"NOOP\r\nRSET\r\n", ok + farewell}}, options));
  // A message in which it happens is still judged.
  const Played judged =
      require_dialogue(behind_ehlo({{transaction + "DATA\r\n", transaction_ok + go_ahead},
                                    {".x\r\n.\r\nRSET\r\n", queued() + farewell}},
                                   options));
  REQUIRE(judged.messages.size() == 1);
}
