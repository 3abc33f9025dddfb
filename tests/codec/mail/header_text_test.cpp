#include "codec/mail/header_text.h"

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

std::string subject(Bytes value) {
  std::string out;
  return append_text_field(out, "Subject", value) ? out : "refused" + out;
}

// "filename..." of Content-Disposition, "|", and "name..." of Content-Type.
std::string file_name(Bytes value) {
  std::string out;
  append_file_name(out, value);
  out += '|';
  append_file_name_for_old_readers(out, value);
  return out;
}

std::string repeated(Bytes text, int times) {
  std::string out;
  while (times-- > 0) {
    out += text;
  }
  return out;
}

// Encoded words of a field, frames included.
std::vector<std::string> encoded_words(Bytes text) {
  std::vector<std::string> words;
  for (std::size_t begin = text.find("=?UTF-8?"); begin != Bytes::npos;
       begin = text.find("=?UTF-8?", begin + 1)) {
    const std::size_t end = text.find("?=", begin + 10) + 2;
    words.emplace_back(text.substr(begin, end - begin));
  }
  return words;
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
  CHECK(field("X", word + " " + word + " " + word) ==
        "X: " + word + " " + word + "\r\n " + word + "\r\n");
  // Not where several blanks stand, or a tab, as long as the line can be had without.
  CHECK(field("X", word + "  " + word + "\t" + word + " y") ==
        "X: " + word + "  " + word + "\t" + word + "\r\n y\r\n");
  CHECK(longest_line(field("X", repeated(word + "\t", 60) + "y")) <= 998);
  // Nor behind a backslash, which JavaMail takes for an escape.
  CHECK(field("X", word + " " + word + "\\ " + word + " y") ==
        "X: " + word + " " + word + "\\ " + word + "\r\n y\r\n");
  std::string structured;
  CHECK(append_structured_field(structured, "X", "=?UTF-8?Q?as_it_is?="));
  CHECK(structured == "X: =?UTF-8?Q?as_it_is?=\r\n");
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

TEST_CASE("header_text: a subject comes back blank by blank") {
  CHECK(subject("Hello Ann") == "Subject: Hello Ann\r\n");
  CHECK(subject("") == "Subject: \r\n");
  CHECK(subject("  Hello") == "Subject: =?UTF-8?Q?__Hello?=\r\n");
  CHECK(subject("Hello ") == "Subject: =?UTF-8?Q?Hello_?=\r\n");
  CHECK(subject("   ") == "Subject: =?UTF-8?Q?___?=\r\n");
  CHECK(subject("one a  b two") == "Subject: one =?UTF-8?Q?a__b?= two\r\n");
  CHECK(subject("a\tb c") == "Subject: =?UTF-8?Q?a=09b?= c\r\n");
  CHECK(subject("\xc3\xa9  x") == "Subject: =?UTF-8?Q?=C3=A9__x?=\r\n");
  CHECK(subject("x  \xc3\xa9 ") == "Subject: =?UTF-8?Q?x__=C3=A9_?=\r\n");
}

TEST_CASE("header_text: what looks like an encoded word in a subject is text") {
  CHECK(subject("see =?utf-8?q?this?= and") ==
        "Subject: see =?UTF-8?Q?=3D=3Futf-8=3Fq=3Fthis=3F=3D?= and\r\n");
  CHECK(subject("(=?x") == "Subject: =?UTF-8?Q?=28=3D=3Fx?=\r\n");
  CHECK(mailboxes({{"=?utf-8?q?x?=", "a@b"}}) ==
        "To: =?UTF-8?Q?=3D=3Futf-8=3Fq=3Fx=3F=3D?= <a@b>\r\n");
}

TEST_CASE("header_text: words of base64 in a row have no padding but the last") {
  // GMime 3.2.13 stops reading there.
  for (const std::string& unit :
       {std::string("\xc3\xa9"), std::string("\xe2\x82\xac"), std::string("\xf0\x9f\x98\x80"),
        std::string("\xc3\xa9\xe2\x82\xac"), std::string("\xc3\xa9 "), std::string("\xd0\x9f,"),
        std::string("\xe0\xa4\x95\xe0\xa4\xbf"), std::string("e\xcc\x81"),
        std::string("\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd")}) {
    for (const char* front : {"", "a", "ab", "a\xc3\xa9", "abcd"}) {
      for (int times : {1, 10, 11, 12, 13, 40, 100}) {
        const std::string text = front + repeated(unit, times);
        INFO(text);
        const std::vector<std::string> words = encoded_words(subject(text));
        REQUIRE_FALSE(words.empty());
        for (std::size_t index = 0; index < words.size(); ++index) {
          const Bytes word = words[index];
          CHECK(word.size() <= 75);
          const bool padded = word.substr(10).ends_with("=?=");
          CHECK((index + 1 == words.size() || !word.starts_with("=?UTF-8?B?") || !padded));
        }
      }
    }
  }
  // No prefix of a letter and three octets at a time has a multiple of three.
  CHECK(subject("x" + repeated("\xe6\x97\xa5", 30))
            .starts_with("Subject: =?UTF-8?Q?x?= =?UTF-8?B?5pel5pel"));
}

TEST_CASE("header_text: a letter and its marks stay in one word") {
  const std::string text = repeated("e\xcc\x81\xcc\xa7", 40);  // acute and cedilla
  for (const std::string& word : encoded_words(subject(text))) {
    INFO(word);
    CHECK((word.starts_with("=?UTF-8?Q?e") || word.starts_with("=?UTF-8?B?Zc")));
  }
  // Marks without an end are cut between characters nevertheless.
  const std::string marks = subject("e" + repeated("\xcc\x81", 200));
  CHECK(longest_line(marks) <= 76);
  CHECK(encoded_words(marks).size() > 5);
}

TEST_CASE("header_text: nothing is folded in front of the first word") {
  const std::string url = "<https://example.com/" + std::string(300, 'u') + ">";
  CHECK(field("List-Unsubscribe", url + ", " + url) ==
        "List-Unsubscribe: " + url + ",\r\n " + url + "\r\n");
  CHECK(field("References", "<a@b> " + url + " <c@d>") ==
        "References: <a@b>\r\n " + url + "\r\n <c@d>\r\n");
  CHECK(field(std::string(75, 'N'), repeated("\xe2\x82\xac", 100))
            .starts_with(std::string(75, 'N') + ": =?UTF-8?B?"));
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
}

TEST_CASE("header_text: display names are atoms, quoted strings or encoded words") {
  CHECK(mailboxes({{"", "a@b"}}) == "To: a@b\r\n");
  CHECK(mailboxes({{"Ann Lee", "a@b"}}) == "To: Ann Lee <a@b>\r\n");
  CHECK(mailboxes({{"Lee, Ann", "a@b"}}) == "To: \"Lee, Ann\" <a@b>\r\n");
  CHECK(mailboxes({{"Dr. \"X\" \\", "a@b"}}) == "To: \"Dr. \\\"X\\\" \\\\\" <a@b>\r\n");
  CHECK(mailboxes({{" x ", "a@b"}}) == "To: x <a@b>\r\n");
  CHECK(mailboxes({{" \xc3\xa9 ", "a@b"}}) == "To: =?UTF-8?B?w6k=?= <a@b>\r\n");
  CHECK(mailboxes({{"  ", "a@b"}}) == "To: a@b\r\n");
  CHECK(mailboxes({{"J\xc3\xb6rg, X", "a@b"}}) == "To: =?UTF-8?Q?J=C3=B6rg=2C_X?= <a@b>\r\n");
}

TEST_CASE("header_text: a name stands on one line, and no two encoded words side by side") {
  const std::string long_name = repeated("Word ", 40) + "End";
  CHECK(mailboxes({{long_name, "a@b"}}) == "To: " + long_name + "\r\n <a@b>\r\n");
  CHECK(mailboxes({{"Soci\xc3\xa9t\xc3\xa9 G\xc3\xa9n\xc3\xa9rale", "a@b"}}) ==
        "To: =?UTF-8?Q?Soci=C3=A9t=C3=A9_G=C3=A9n=C3=A9rale?= <a@b>\r\n");
  CHECK(mailboxes({{"Soci\xc3\xa9t\xc3\xa9 G\xc3\xa9n\xc3\xa9rale de Banque et des "
                    "Assurances \xc3\x89l\xc3\xa9mentaires",
                    "a@b"}}) ==
        "To: =?UTF-8?Q?Soci=C3=A9t=C3=A9_G=C3=A9n=C3=A9rale?= de Banque et des Assurances "
        "=?UTF-8?Q?=C3=89l=C3=A9mentaires?=\r\n <a@b>\r\n");
  CHECK(
      mailboxes({{"Dr. M\xc3\xbcller, Somebody of a House Whose Name Is Long And Goes On And On "
                  "Zo\xc3\xab",
                  "a@b"}}) ==
      "To: =?UTF-8?Q?Dr=2E_M=C3=BCller=2C?= Somebody of a House Whose Name Is Long And Goes On And "
      "On =?UTF-8?Q?Zo=C3=AB?=\r\n <a@b>\r\n");
  // One word above the 75 octets of RFC 2047: what is cut has a blank for some.
  const std::string han = mailboxes({{repeated("\xe6\x97\xa5", 80), "a@b"}});
  CHECK(encoded_words(han).size() == 1);
  CHECK(han == "To: =?UTF-8?B?" + repeated("5pel", 80) + "?=\r\n <a@b>\r\n");
  CHECK(mailboxes({{"Ann  Lee", "a@b"}}) == "To: \"Ann  Lee\" <a@b>\r\n");
  CHECK(encoded_words(mailboxes({{repeated("\xc3\xa9 a ", 100) + "b", "a@b"}})).size() == 1);
}

TEST_CASE("header_text: no word that ends as an encoded one stands in front of one") {
  const std::string umlauts = repeated("\xc3\xa9", 12);
  const std::string subject = field("Subject", "is it?= " + umlauts);
  CHECK(subject.starts_with("Subject: is =?UTF-8?"));
  const std::string name = mailboxes({{umlauts + " 0?= " + umlauts, "a@b"}});
  CHECK(name.find(" 0?= ") == std::string::npos);
  CHECK(encoded_words(name).size() == 1);
  CHECK(field("Subject", "is it?=") == "Subject: is it?=\r\n");
}

TEST_CASE("header_text: lists of mailboxes are folded between them") {
  std::vector<Mailbox> list;
  for (int count = 0; count < 20; ++count) {
    list.push_back({"Somebody With A Name", "somebody@example.com"});
  }
  const std::string out = mailboxes(list);
  CHECK(longest_line(out) <= 79);  // a comma may stand in column 79
  CHECK(out.find("<somebody@example.com>,\r\n Somebody") != std::string::npos);
  // A name whose quoted string fits on no line is encoded.
  CHECK(longest_line(mailboxes({{std::string(512, '"'), "a@b"}})) <= 998);
  CHECK(longest_line(mailboxes({{"x", "c@d"}, {repeated("\xc3\xa9 a ", 102), "a@b"}})) <= 998);
}

TEST_CASE("header_text: file names are quoted, or percent-encoded alone and in one piece") {
  CHECK(file_name("a.pdf") == ";\r\n filename=\"a.pdf\"|");
  CHECK(file_name("a (1), b; c=d.pdf") == ";\r\n filename=\"a (1), b; c=d.pdf\"|");
  CHECK(file_name(std::string(255, 'x')) == ";\r\n filename=\"" + std::string(255, 'x') + "\"|");
  CHECK(file_name("\xc3\xbc.pdf") ==
        ";\r\n filename*=UTF-8''%C3%BC.pdf|;\r\n name=\"=?UTF-8?Q?=C3=BC=2Epdf?=\"");
  CHECK(file_name("a \"b\" \\.pdf").starts_with(";\r\n filename*=UTF-8''a%20%22b%22%20%5C.pdf|"));
  CHECK(file_name("it's 5%.pdf").starts_with(";\r\n filename*=UTF-8''it%27s%205%25.pdf|"));
  CHECK(file_name(" a ").starts_with(";\r\n filename*=UTF-8''%20a%20|"));
  CHECK(file_name("a  b").starts_with(";\r\n filename*=UTF-8''a%20%20b|"));
  CHECK(
      file_name("=?utf-8?q?x?=").starts_with(";\r\n filename*=UTF-8''%3D%3Futf-8%3Fq%3Fx%3F%3D|"));
  const std::string longest = file_name(repeated("\xe6\x97\xa5", 85));
  CHECK(longest.find("filename*=UTF-8''%E6%97%A5%E6") != std::string::npos);
  CHECK(longest.find("*0*") == std::string::npos);
  CHECK(longest_line(longest) <= 900);
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
