#include "codec/smtp/smtp_command.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using codec::MailParameters;

namespace {

template <typename... Arguments>
std::string line_of(void (*append)(std::string&, Arguments...),
                    std::type_identity_t<Arguments>... arguments) {
  std::string out = "before;";
  append(out, arguments...);
  REQUIRE(out.starts_with("before;"));
  return out.substr(7);
}

std::string mail(Bytes sender, const MailParameters& parameters, const DsnRequest& dsn = {}) {
  std::string out;
  codec::append_mail(out, sender, parameters, dsn);
  return out;
}

}  // namespace

TEST_CASE("command: those without arguments") {
  CHECK(line_of(codec::append_starttls) == "STARTTLS\r\n");
  CHECK(line_of(codec::append_data) == "DATA\r\n");
  CHECK(line_of(codec::append_rset) == "RSET\r\n");
  CHECK(line_of(codec::append_quit) == "QUIT\r\n");
}

TEST_CASE("command: EHLO and HELO with our name") {
  CHECK(line_of(codec::append_ehlo, "client.example") == "EHLO client.example\r\n");
  CHECK(line_of(codec::append_helo, "[192.0.2.1]") == "HELO [192.0.2.1]\r\n");
}

TEST_CASE("command: AUTH with and without an initial response") {
  CHECK(line_of(codec::append_auth, "PLAIN", "AGEAYg==") == "AUTH PLAIN AGEAYg==\r\n");
  CHECK(line_of(codec::append_auth, "LOGIN", "") == "AUTH LOGIN\r\n");
  CHECK(line_of(codec::append_auth_response, "YQ==") == "YQ==\r\n");
  CHECK(line_of(codec::append_auth_response, "") == "\r\n");
}

TEST_CASE("command: BDAT with any size") {
  CHECK(line_of(codec::append_bdat_last, 0u) == "BDAT 0 LAST\r\n");
  CHECK(line_of(codec::append_bdat_last, 18446744073709551615u) ==
        "BDAT 18446744073709551615 LAST\r\n");
}

TEST_CASE("command: MAIL says the parameters that are asked for and no other") {
  CHECK(mail("a@b.example", {}) == "MAIL FROM:<a@b.example>\r\n");
  CHECK(mail("", {}) == "MAIL FROM:<>\r\n");
  CHECK(mail("a@b.example", {.size_bytes = 123}) == "MAIL FROM:<a@b.example> SIZE=123\r\n");
  CHECK(mail("a@b.example", {.body_8bit = true}) == "MAIL FROM:<a@b.example> BODY=8BITMIME\r\n");
  CHECK(mail("a@b.example", {.smtputf8 = true}) == "MAIL FROM:<a@b.example> SMTPUTF8\r\n");
  CHECK(mail("a@b.example", {.dsn = true}) == "MAIL FROM:<a@b.example>\r\n");
}

TEST_CASE("command: RET and ENVID only where DSN may be used") {
  const DsnRequest dsn{"", "HDRS", "id"};
  CHECK(mail("a@b.example", {}, dsn) == "MAIL FROM:<a@b.example>\r\n");
  CHECK(mail("a@b.example", {.dsn = true}, dsn) == "MAIL FROM:<a@b.example> RET=HDRS ENVID=id\r\n");
}

TEST_CASE("command: ENVID is xtext") {
  const DsnRequest dsn{"", "", "a+b=c d~\x7f\xff\r\n"};
  CHECK(mail("", {.dsn = true}, dsn) == "MAIL FROM:<> ENVID=a+2Bb+3Dc+20d~+7F+FF+0D+0A\r\n");
}

TEST_CASE("command: RCPT with and without DSN") {
  CHECK(line_of(codec::append_rcpt, "a@b.example", "") == "RCPT TO:<a@b.example>\r\n");
  CHECK(line_of(codec::append_rcpt, "a+c@b.example", "NEVER") ==
        "RCPT TO:<a+c@b.example> NOTIFY=NEVER ORCPT=rfc822;a+2Bc@b.example\r\n");
}

TEST_CASE("command: an address in UTF-8 goes as it is") {
  // RFC 6533 section 3: an address that is not ASCII is of another type, and in ASCII all the same.
  CHECK(line_of(codec::append_rcpt, "j\xc3\xb6+\xf0\x9f\x98\x80@b.example", "NEVER") ==
        "RCPT TO:<j\xc3\xb6+\xf0\x9f\x98\x80@b.example> NOTIFY=NEVER "
        "ORCPT=utf-8;j\\x{F6}\\x{2B}\\x{1F600}@b.example\r\n");
  CHECK(line_of(codec::append_rcpt, "\"\xc3\xb6 =\\\"\"@b.example", "NEVER") ==
        "RCPT TO:<\"\xc3\xb6 =\\\"\"@b.example> NOTIFY=NEVER "
        "ORCPT=utf-8;\"\\x{F6}\\x{20}\\x{3D}\\x{5C}\"\"@b.example\r\n");
  CHECK(line_of(codec::append_rcpt, "\xc4\x8d@b.example", "") ==
        "RCPT TO:<\xc4\x8d@b.example>\r\n");
}
