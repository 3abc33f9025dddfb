#include "engine/server/command_syntax.h"

#include <catch2/catch_test_macros.hpp>

#include "engine/server/mailbox_syntax.h"

using namespace ringpost;
using namespace ringpost::server;

namespace {

const Extensions all_offered;

bool mail_is_good(Bytes arguments) { return parse_mail(arguments, all_offered).has_value(); }
bool rcpt_is_good(Bytes arguments) { return parse_rcpt(arguments, all_offered, false).has_value(); }

Violation mail_violation(Bytes arguments, const Extensions& offered) {
  const auto result = parse_mail(arguments, offered);
  REQUIRE_FALSE(result);
  return result.error().violation;
}

TEST_CASE("tolerant: paths as programs write them, with and without brackets and spaces") {
  for (const Bytes arguments : {"FROM:<a@b>", "FROM: <a@b>", "from:  <a@b>", "FROM:a@b",
                                "FROM: a@b", "FROM:<a@b>  SIZE=5", "FROM: a@b   SIZE=5"}) {
    INFO(arguments);
    const auto mail = parse_mail(arguments, all_offered, Grammar::tolerant);
    REQUIRE(mail);
    CHECK(mail->sender == "a@b");
    CHECK(mail->local_part == "a");
    CHECK(mail->size.has_value() == (arguments.find("SIZE") != Bytes::npos));
    CHECK(parse_mail(arguments, all_offered).has_value() == (arguments == "FROM:<a@b>"));
  }
  CHECK(parse_mail("FROM: <>", all_offered, Grammar::tolerant)->sender.empty());
  CHECK(parse_rcpt("TO: a@b NOTIFY=NEVER", all_offered, false, Grammar::tolerant)->recipient ==
        "a@b");
  CHECK(parse_rcpt("TO: <\"a b\"@c>", all_offered, false, Grammar::tolerant)->local_part ==
        "\"a b\"");
}

TEST_CASE("tolerant: what is no address is refused all the same, and nobody stays in doubt") {
  for (const Bytes arguments :
       {"", "FROM:", "FROM:   ", "FROM:<a@b", "FROM:a", "FROM:a@b>", "FROM:a @b", "FROM:@b",
        "FROM:<a@b>SIZE=5", "FROM:<a@b> x", "FROM:<a@b> SIZE=x", "TO:<a@b>", "FROM:a@b\t"}) {
    INFO(arguments);
    CHECK_FALSE(parse_mail(arguments, all_offered, Grammar::tolerant));
  }
}

TEST_CASE("tolerant: any name that can stand in a header field may greet") {
  for (const Bytes name : {"a", "a_b", "my_pc.local.", "[::1]", "[127.0.0.1]", "-", "WIN-1$"}) {
    INFO(name);
    CHECK(is_host_name(name, Grammar::tolerant));
  }
  for (const Bytes name : {"", "a b", "a(b", "a\tb", "a;b", "\xC3\xB6.example", "a\"b", "a<b"}) {
    INFO(name);
    CHECK_FALSE(is_host_name(name, Grammar::tolerant));
  }
  CHECK_FALSE(is_host_name(std::string(256, 'a'), Grammar::tolerant));
}

}  // namespace

TEST_CASE("command: verbs are known in any case, trailing white space is tolerated") {
  REQUIRE(split_command("MAIL FROM:<a@b>").verb == Verb::mail);
  REQUIRE(split_command("mail FROM:<a@b> \t ").arguments == "FROM:<a@b>");
  REQUIRE(split_command("qUiT").verb == Verb::quit);
  REQUIRE(split_command("StartTLS").verb == Verb::starttls);
  REQUIRE(split_command("MAILX").verb == Verb::unknown);
  REQUIRE(split_command("").verb == Verb::unknown);
}

TEST_CASE("command: extensions make lines longer, and only those they are about") {
  REQUIRE(command_line_bytes_max(Verb::ehlo) == 512);
  REQUIRE(command_line_bytes_max(Verb::mail) > 512 + 500);
  REQUIRE(command_line_bytes_max(Verb::rcpt) >= 512 + 500);
  REQUIRE(command_line_bytes_max(Verb::auth) == 12'288);
}

TEST_CASE("mail: every parameter that is offered, in its grammar") {
  const auto mail =
      parse_mail("FROM:<a@b.example> SIZE=2048 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+3Db AUTH=<>",
                 all_offered);
  REQUIRE(mail);
  REQUIRE(mail->sender == "a@b.example");
  REQUIRE(mail->local_part == "a");
  REQUIRE(mail->size == 2048);
  REQUIRE(mail->eight_bit_mime);
  REQUIRE(mail->smtputf8);
  REQUIRE(parse_mail("FROM:<>", all_offered)->sender.empty());
  REQUIRE_FALSE(parse_mail("FROM:<a@b>", all_offered)->size);
}

TEST_CASE("mail: what is not the grammar is refused") {
  for (const Bytes arguments : {"",
                                "FROM:",
                                "FROM:a@b",
                                "FROM: <a@b>",
                                "TO:<a@b>",
                                "FROM:<a@b",
                                "FROM:<a@b>SIZE=1",
                                "FROM:<a@b>  SIZE=1",
                                "FROM:<a@b> SIZE",
                                "FROM:<a@b> SIZE=",
                                "FROM:<a@b> SIZE=1k",
                                "FROM:<a@b> SIZE=-1",
                                "FROM:<a@b> SIZE=1 SIZE=1",
                                "FROM:<a@b> BODY=BINARYMIME",
                                "FROM:<a@b> SMTPUTF8=1",
                                "FROM:<a@b> RET=ALL",
                                "FROM:<a@b> ENVID=a=b",
                                "FROM:<a@b> ENVID=+3d",
                                "FROM:<@c:a@b>",
                                "FROM:<a>",
                                "FROM:<a@b> =1"}) {
    INFO(arguments);
    REQUIRE_FALSE(mail_is_good(arguments));
  }
}

TEST_CASE("mail: a parameter that was not offered is another mistake than a bad one") {
  Extensions offered;
  offered.size = false;
  REQUIRE(mail_violation("FROM:<a@b> SIZE=1", offered) == Violation::unannounced);
  REQUIRE(mail_violation("FROM:<a@b> X=1", all_offered) == Violation::unannounced);
  REQUIRE(mail_violation("FROM:<a@b> BODY=8BITMIME", no_extensions) == Violation::unannounced);
  REQUIRE(mail_violation("FROM:<a@b> SIZE=x", all_offered) == Violation::syntax);
}

TEST_CASE("rcpt: paths and DSN parameters") {
  for (const Bytes arguments :
       {"TO:<a@b>", "TO:<Postmaster>", "to:<a.b+c@d-e.example>", "TO:<\"a b\"@c>",
        "TO:<\"a\\\"@>\"@c>", "TO:<a@[192.0.2.1]>", "TO:<a@[IPv6:2001:db8::1]>",
        "TO:<a@b> NOTIFY=NEVER", "TO:<a@b> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a@b"}) {
    INFO(arguments);
    REQUIRE(rcpt_is_good(arguments));
  }
  for (const Bytes arguments : {"TO:<>",
                                "TO:<a@b> NOTIFY=NEVER,DELAY",
                                "TO:<a@b> NOTIFY=",
                                "TO:<a@b> ORCPT=a@b",
                                "TO:<a@b> ORCPT=rfc822;a=b",
                                "TO:<a@b> SIZE=1",
                                "TO:<a b@c>",
                                "TO:<.a@c>",
                                "TO:<a.@c>",
                                "TO:<a..b@c>",
                                "TO:<a@-b>",
                                "TO:<a@b->",
                                "TO:<a@b..c>",
                                "TO:<a@b_c>",
                                "TO:<a@>",
                                "TO:<@b>",
                                "TO:<a@b@c>",
                                "TO:<a@[]>",
                                "TO:<\"a@b>",
                                "TO:<a@b.>"}) {
    INFO(arguments);
    REQUIRE_FALSE(rcpt_is_good(arguments));
  }
}

TEST_CASE("rcpt: the lengths of RFC 5321 4.5.3.1 are met exactly") {
  const auto path = [](std::size_t local, std::size_t domain) {
    std::string name;
    while (name.size() + 2 < domain) {
      name += std::string(std::min<std::size_t>(50, domain - name.size() - 2), 'd') + '.';
    }
    name.resize(domain, 'd');
    return "TO:<" + std::string(local, 'l') + "@" + name + ">";
  };
  REQUIRE(rcpt_is_good(path(64, 100)));
  REQUIRE_FALSE(rcpt_is_good(path(65, 100)));
  REQUIRE(rcpt_is_good(path(53, 200)));  // 256 octets with brackets
  REQUIRE(rcpt_is_good(path(64, 189)));
  REQUIRE_FALSE(rcpt_is_good(path(64, 190)));
  // Senders made of addresses are longer (VERP, SRS).
  REQUIRE(mail_is_good("FROM:<" + std::string(200, 'l') + "@b.example>"));
}

TEST_CASE("rcpt: UTF-8 needs SMTPUTF8 and has to be UTF-8") {
  const Bytes arguments =
      "TO:<d\xC3\xB6rte@b\xC3\xBC"
      "cher.example>";
  const auto refused = parse_rcpt(arguments, all_offered, false);
  REQUIRE_FALSE(refused);
  REQUIRE(refused.error().violation == Violation::undeclared_utf8);
  REQUIRE(refused.error().code == 553);
  REQUIRE(parse_rcpt(arguments, all_offered, true));
  REQUIRE_FALSE(parse_rcpt("TO:<\xFF@b>", all_offered, true));
  REQUIRE_FALSE(parse_rcpt("TO:<\xED\xA0\x80@b>", all_offered, true));
  REQUIRE_FALSE(parse_rcpt("TO:<\xC0\x80@b>", all_offered, true));
}

TEST_CASE("bdat: a count, and LAST or nothing") {
  const auto last = parse_bdat("100 LAST");
  REQUIRE(last);
  REQUIRE(last->bytes == 100);
  REQUIRE(last->last);
  REQUIRE_FALSE(parse_bdat("0")->last);
  REQUIRE(parse_bdat("0 last")->last);
  for (const Bytes arguments :
       {"", "LAST", "x", "-1", "1 ", "1 FIRST", "1  LAST", "99999999999999999999999"}) {
    INFO(arguments);
    REQUIRE_FALSE(parse_bdat(arguments));
  }
}

TEST_CASE("ehlo: wants a domain or an address literal") {
  for (const Bytes name : {"a", "a.example", "[127.0.0.1]", "[IPv6:::1]", "1.2.3.4"}) {
    REQUIRE(is_host_name(name));
  }
  for (const Bytes name : {"", "a b", "a_b", "[1", "\xC3\xB6.example", "a."}) {
    REQUIRE_FALSE(is_host_name(name));
  }
}
