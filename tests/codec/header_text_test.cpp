#include "codec/header_text.h"

#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

std::string field(Bytes name, Bytes value) {
  std::string out;
  return append_field(out, name, value) ? out : "refused" + out;
}

std::string mailboxes(const std::vector<Mailbox>& list) {
  std::string out;
  append_mailbox_field(out, "To", list);
  return out;
}

std::string parameter(Bytes value) {
  std::string out;
  append_parameter(out, "filename", value);
  return out;
}

std::size_t longest_line(Bytes text) {
  std::size_t longest = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find("\r\n", begin), text.size());
    longest = std::max(longest, end - begin);
    begin = end + 2;
  }
  return longest;
}

}  // namespace

TEST_CASE("header_text: ASCII goes out as it is, folded at spaces") {
  CHECK(field("Subject", "Hello") == "Subject: Hello\r\n");
  CHECK(field("Subject", "") == "Subject: \r\n");
  CHECK(field("Subject", "  a  b ") == "Subject: a  b\r\n");
  const std::string word(30, 'x');
  CHECK(field("X", word + " " + word + "  " + word) ==
        "X: " + word + " " + word + "\r\n  " + word + "\r\n");
  CHECK(field("X", "=?UTF-8?Q?as_it_is?=") == "X: =?UTF-8?Q?as_it_is?=\r\n");
}

TEST_CASE("header_text: a word that fits on no line is refused") {
  CHECK(field("X", std::string(900, 'x')) == "X: " + std::string(900, 'x') + "\r\n");
  CHECK(field("X", "a " + std::string(998, 'x')) == "refused");
  CHECK(field("X", "a" + std::string(998, ' ') + "b") == "refused");
}

TEST_CASE("header_text: words that are not ASCII become encoded words, others stay") {
  CHECK(field("Subject",
              "Gr\xc3\xbc\xc3\x9f"
              "e aus K\xc3\xb6ln und Bonn") ==
        "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?= und Bonn\r\n");
  CHECK(field("Subject", "Re: \xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82") ==
        "Subject: Re: =?UTF-8?B?0J/RgNC40LLQtdGC?=\r\n");
  // One that looks encoded would be decoded among others, so it is encoded too.
  CHECK(field("Subject", "=?x?= \xc3\xa4") == "Subject: =?UTF-8?Q?=3D=3Fx=3F=3D_=C3=A4?=\r\n");
}

TEST_CASE("header_text: encoded words keep the lengths of RFC 2047 and split no character") {
  std::string text;
  for (int count = 0; count < 100; ++count) {
    text += "\xe2\x82\xac";
  }
  const std::string out = field("Subject", text);
  CHECK(longest_line(out) <= 76);
  for (std::size_t begin = out.find("=?UTF-8?B?"); begin != std::string::npos;
       begin = out.find("=?UTF-8?B?", begin + 1)) {
    const std::size_t end = out.find("?=", begin + 10);
    CHECK((end - begin - 10) % 4 == 0);
    CHECK(end + 2 - begin <= 75);
  }
  CHECK(longest_line(field(std::string(75, 'N'), text)) <= 78);
}

TEST_CASE("header_text: display names are atoms, quoted strings or encoded words") {
  CHECK(mailboxes({{"", "a@b"}}) == "To: a@b\r\n");
  CHECK(mailboxes({{"Ann Lee", "a@b"}}) == "To: Ann Lee <a@b>\r\n");
  CHECK(mailboxes({{"Lee, Ann", "a@b"}}) == "To: \"Lee, Ann\" <a@b>\r\n");
  CHECK(mailboxes({{"Dr. \"X\" \\", "a@b"}}) == "To: \"Dr. \\\"X\\\" \\\\\" <a@b>\r\n");
  CHECK(mailboxes({{" x ", "a@b"}}) == "To: \" x \" <a@b>\r\n");
  CHECK(mailboxes({{"J\xc3\xb6rg, X", "a@b"}}) == "To: =?UTF-8?Q?J=C3=B6rg=2C_X?= <a@b>\r\n");
}

TEST_CASE("header_text: lists of mailboxes are folded between them") {
  std::vector<Mailbox> list;
  for (int count = 0; count < 20; ++count) {
    list.push_back({"Somebody With A Name", "somebody@example.com"});
  }
  const std::string out = mailboxes(list);
  CHECK(longest_line(out) <= 79);  // a comma may stand in column 79
  CHECK(out.find("<somebody@example.com>,\r\n Somebody") != std::string::npos);
  // A name that fits on no line is encoded, which can be folded anywhere.
  CHECK(longest_line(mailboxes({{std::string(512, '"'), "a@b"}})) <= 78);
}

TEST_CASE("header_text: parameters are quoted, or encoded by RFC 2231") {
  CHECK(parameter("a \"b\".pdf") == ";\r\n filename=\"a \\\"b\\\".pdf\"");
  CHECK(parameter("") == ";\r\n filename=\"\"");
  CHECK(parameter("\xc3\xbc.pdf") == ";\r\n filename*0*=UTF-8''%C3%BC.pdf");
  const std::string out = parameter(std::string(200, 'x'));
  CHECK(longest_line(out) <= 78);
  CHECK(out.find("filename*0*=UTF-8''xxx") != std::string::npos);
  CHECK(out.find(";\r\n filename*1*=xxx") != std::string::npos);
}

TEST_CASE("header_text: names of fields are printable ASCII without colon (S09)") {
  CHECK(is_field_name("X-Mailer"));
  CHECK(is_field_name(std::string(75, 'x')));
  for (const Bytes name : {Bytes(""), Bytes("a b"), Bytes("a:"), Bytes("a\r\n"), Bytes("\xc3\xa4"),
                           Bytes("a\0", 2), Bytes("a\x7f")}) {
    CHECK_FALSE(is_field_name(name));
  }
  CHECK_FALSE(is_field_name(std::string(76, 'x')));
}
