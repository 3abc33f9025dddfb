// Each message here is as some program writes it; tests/tools/eml_test.py has whole ones.
#include "tools/send/eml_template.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;

namespace {

codec::TemplateDefinition read_eml(Bytes octets) {
  auto definition = cli::read_eml_template(octets);
  INFO((definition ? std::string() : definition.error()));
  REQUIRE(definition.has_value());
  return std::move(*definition);
}

std::string why_not(Bytes octets) {
  const auto definition = cli::read_eml_template(octets);
  return definition ? "was read" : definition.error();
}

std::string with_fields(Bytes fields) {
  return "From: a@example.com\n" + std::string(fields) + "\n\nHello\n";
}

// A part of multipart/mixed behind a text.
std::string with_part(Bytes part) {
  return "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--b\n" +
         std::string(part) + "\n--b--\n";
}

}  // namespace

TEST_CASE("eml: the fields of a mailbox are decoded") {
  const auto from = [](Bytes value) {
    return *read_eml("From: " + std::string(value) + "\n\nHello\n").from;
  };
  CHECK(from("a@example.com") == "a@example.com");
  CHECK(from("Ann <a@example.com>") == "Ann <a@example.com>");
  CHECK(from("\"Ann, \\\"B\\\"\" <a@example.com>") == "\"Ann, \\\"B\\\"\" <a@example.com>");
  CHECK(from("=?utf-8?q?J=C3=B6rg_M=C3=BCller?= <a@example.com>") ==
        "J\xc3\xb6rg M\xc3\xbcller <a@example.com>");
  CHECK(from("\"=?iso-8859-1?Q?M=FCller=2C_J?=\" <a@example.com>") ==
        "\"M\xc3\xbcller, J\" <a@example.com>");
  CHECK(from("=?utf-8?q?J=C3=B6rg?=\n =?utf-8?b?TcO8bGxlcg?= <a@example.com>") ==
        "J\xc3\xb6rgM\xc3\xbcller <a@example.com>");
  CHECK(from("\"{{shop.name}}, daily\" <news@example.com>") ==
        "\"{{shop.name}}, daily\" <news@example.com>");
}

TEST_CASE("eml: words of a subject come back whole") {
  const auto subject = [](Bytes value) {
    return *read_eml(with_fields("Subject: " + std::string(value))).subject;
  };
  CHECK(subject("Plain") == "Plain");
  CHECK(subject("One\n two\n\tthree") == "One two three");
  CHECK(subject("=?UTF-8?B?w7w=?= =?UTF-8?B?w7Y=?=") == "\xc3\xbc\xc3\xb6");
  CHECK(subject("=?UTF-8?B?w7w=?= and =?UTF-8*de?q?=C3=B6?=") == "\xc3\xbc and \xc3\xb6");
  // A character that a program has cut.
  CHECK(subject("=?utf-8?B?w7zD?=\n =?utf-8?B?tg==?=") == "\xc3\xbc\xc3\xb6");
  CHECK(subject("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=") == "\xe6\x97\xa5\xe6\x9c\xac");
  CHECK(subject("=?gb2312?B?xOO6ww==?=") == "\xe4\xbd\xa0\xe5\xa5\xbd");
  CHECK(subject("=?iso-8859-1?Q?it=92s?=") == "it\xe2\x80\x99s");  // windows-1252, as everywhere
  CHECK(subject("=?utf-8?q?a_?= b") == "a  b");
  CHECK(subject("what =? is =?this? that=?") == "what =? is =?this? that=?");
  CHECK(subject("=?utf-8?q?a b?=") == "=?utf-8?q?a b?=");
  CHECK(subject("Hello {{name}}") == "Hello {{name}}");
  CHECK(why_not(with_fields("Subject: =?x-unheard-of?q?a?=")) ==
        "line 2: Subject has an encoded word that cannot be decoded: the charset \"x-unheard-of\" "
        "is not known to this machine's iconv: save it as UTF-8");
  CHECK(why_not(with_fields("Subject: =?utf-8?q?=FF?=")) ==
        "line 2: Subject has an encoded word that cannot be decoded: octet 1 of 1 is no UTF-8");
  CHECK(why_not(with_fields("Subject: =?utf-8?b?!?=")) ==
        "line 2: Subject has an encoded word that cannot be decoded: \"!\"");
  CHECK(why_not(with_fields("Subject: =?utf-8?q?a=0D=0ABcc:_b?=")) ==
        "line 2: Subject has a line break or another control character");
}

TEST_CASE("eml: fields for everybody are kept, those of one copy are not") {
  const auto read = read_eml(
      "Received: from a by b\nReturn-Path: <x@example.com>\nDKIM-Signature: v=1\n"
      "ARC-Seal: i=1\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nMessage-ID: <1@example.com>\n"
      "From: a@example.com\nTo: b@example.com\nCc: c@example.com\nBcc: d@example.com\n"
      "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Language: de\n"
      "X-Mozilla-Status: 0001\nX-Campaign: =?utf-8?q?Fr=C3=BChling?= {{id}}\n"
      "List-ID: =?utf-8?q?Fr=C3=BChling?= <news.example.com>\nPrecedence: bulk\n\nHello\n");
  REQUIRE(read.headers.size() == 3);
  CHECK(read.headers[0].name == "X-Campaign");
  CHECK(read.headers[0].value == "Fr\xc3\xbchling {{id}}");
  CHECK(read.headers[1].value == "=?utf-8?q?Fr=C3=BChling?= <news.example.com>");
  CHECK(read.headers[2].name == "Precedence");
  CHECK_FALSE(read.to.has_value());
  CHECK(read_eml(with_fields("To: {{name}} <{{email}}>")).to == "{{name}} <{{email}}>");
}

TEST_CASE("eml: one-click is what a template calls unsubscribe") {
  const auto both =
      read_eml(with_fields("List-Unsubscribe: <https://example.com/u?i={{id}}>\n"
                           "List-Unsubscribe-Post: List-Unsubscribe=One-Click"));
  CHECK(both.unsubscribe == "https://example.com/u?i={{id}}");
  CHECK(both.headers.empty());
  const auto web_alone = read_eml(with_fields("List-Unsubscribe: <https://example.com/u>"));
  CHECK_FALSE(web_alone.unsubscribe.has_value());
  CHECK(web_alone.headers.size() == 1);
  const auto several =
      read_eml(with_fields("List-Unsubscribe: <mailto:u@example.com>,\n <https://example.com/u>\n"
                           "List-Unsubscribe-Post: List-Unsubscribe=One-Click"));
  CHECK_FALSE(several.unsubscribe.has_value());
  CHECK(several.headers[0].value == "<mailto:u@example.com>, <https://example.com/u>");
}

TEST_CASE("eml: several addresses") {
  CHECK(why_not("From: a@example.com, b@example.com\n\nHello\n") ==
        "line 1: From has several addresses, and a template has one author");
  const auto read = read_eml(with_fields("Reply-To: \"A, B\" <b@example.com>,\n c@example.com"));
  CHECK_FALSE(read.reply_to.has_value());
  CHECK(read.headers[0].value == "\"A, B\" <b@example.com>, c@example.com");
  CHECK(read_eml(with_fields("Reply-To: \"A, B\" <b@example.com>")).reply_to ==
        "\"A, B\" <b@example.com>");
}

TEST_CASE("eml: texts are decoded into UTF-8") {
  const auto text = [](Bytes fields, Bytes body) {
    return *read_eml("From: a@example.com\n" + std::string(fields) + "\n" + std::string(body)).text;
  };
  CHECK(text("", "Hello\n") == "Hello\r\n");
  CHECK(text("Content-Type: text/plain; charset=\"UTF-8\"\nContent-Transfer-Encoding: 8bit\n",
             "Gr\xc3\xbc\xc3\x9f"
             "e\n") ==
        "Gr\xc3\xbc\xc3\x9f"
        "e\r\n");
  CHECK(text("Content-Type: text/plain; charset=windows-1252\n"
             "Content-Transfer-Encoding: QUOTED-PRINTABLE\n",
             "=80 5 {{na=\nme}}=20\n.\n") == "\xe2\x82\xac 5 {{name}} \r\n.\r\n");
  CHECK(text("Content-Type: text/plain (a comment); charset=koi8-r (another)\n"
             "Content-Transfer-Encoding: base64\n",
             "8NLJ18XU\n") == "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82");
  CHECK(text("Content-Type: text/plain; format=flowed\n",
             "One \ntwo.\n\n> quoted \n> too\n>> deeper\n From\n-- \nAnn\n") ==
        "One two.\r\n\r\n> quoted too\r\n>> deeper\r\nFrom\r\n-- \r\nAnn\r\n");
  CHECK(text("Content-Type: text/plain; format=flowed; delsp=yes\n", "One \ntwo\n") ==
        "Onetwo\r\n");
}

TEST_CASE("eml: what is badly encoded is refused with its place") {
  const auto reason = [](Bytes fields, Bytes body) {
    return why_not("From: a@example.com\n" + std::string(fields) + "\n" + std::string(body));
  };
  CHECK(reason("Content-Transfer-Encoding: quoted-printable\n", "ok\n=ZZ\n") ==
        "line 4: the message (text/plain) is no quoted-printable in its line 2: behind = stand two "
        "hexadecimal digits");
  CHECK(reason("Content-Transfer-Encoding: base64\n", "SGVsbG8!\n") ==
        "line 4: the message (text/plain) is no base64 in its line 1");
  CHECK(reason("Content-Transfer-Encoding: base64\n", "SGVsbG\n") ==
        "line 4: the message (text/plain) is base64 that was cut: its end is missing");
  CHECK(reason("Content-Transfer-Encoding: x-uuencode\n", "x\n") ==
        "line 4: the message (text/plain) has the Content-Transfer-Encoding \"x-uuencode\", which "
        "is none of 7bit, 8bit, binary, quoted-printable and base64");
  CHECK(reason("Content-Type: text/html; charset=no-such\n", "x\n") ==
        "line 4: the message (text/html) cannot be read: the charset \"no-such\" is not known to "
        "this machine's iconv: save it as UTF-8");
  CHECK(reason("Content-Type: text/html; charset=UTF-8//TRANSLIT\n", "x\n") ==
        "line 4: the message (text/html) cannot be read: its charset has no name that one may "
        "have");
  CHECK(reason("",
               "Gr\xfc\xdf"
               "e\n") ==
        "line 3: the message (text/plain) cannot be read: octet 3 of 7 is no ASCII, and not UTF-8, "
        "either: its charset has to be named");
  CHECK(reason("Content-Type: text/plain; charset=iso-2022-jp\n", "\x1b$BF|\x1b$\n")
            .starts_with("line 4: the message (text/plain) cannot be read: octet "));
}

TEST_CASE("eml: a message without its form is refused") {
  CHECK(why_not("From: a@example.com\nno field\n\nHello\n") == "line 2: is no header field");
  CHECK(why_not(with_fields("Subject: a\nSubject: b")) == "line 3: Subject stands twice");
  CHECK(why_not(with_fields("Content-Type: multipart/mixed")) ==
        "line 4: begins a multipart/mixed that names no boundary");
  CHECK(why_not(with_fields("Content-Type: multipart/mixed; boundary=b")) ==
        "line 4: begins a multipart/mixed in which no part begins");
  CHECK(
      why_not("From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n"
              "--b\n\nHello\n") ==
      "line 4: begins a multipart/mixed without its last line, --b--: the file may have been cut");
  CHECK(why_not(with_fields("Content-Type: text")) == "line 2: Content-Type is no type/subtype");
  CHECK(why_not(with_fields("Content-Type: text/plain; charset=\"utf")) ==
        "line 2: Content-Type has a quotation mark in \"charset\" that is not closed");
  CHECK(
      why_not("From a@example.com Mon Jan 1\nFrom: a@example.com\n\nx\n").find("is no message: ") ==
      0);
  CHECK(why_not("").find("is no message: ") == 0);
  CHECK(why_not("From: a@example.com\r\n\r\nHello\nyou\r\n") != "was read");
}

TEST_CASE("eml: parts within parts have a bound") {
  std::string eml = "From: a@example.com\n";
  for (int depth = 0; depth < 40; ++depth) {
    eml += "Content-Type: multipart/mixed; boundary=b" + std::to_string(depth) + "\n\n--b" +
           std::to_string(depth) + "\n";
  }
  eml += "\nHello\n";
  for (int depth = 40; depth-- > 0;) {
    eml += "--b" + std::to_string(depth) + "--\n";
  }
  CHECK(why_not(eml).find("begins parts within parts, more than 16 deep") != std::string::npos);
  std::string many = "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n";
  for (int part = 0; part < 600; ++part) {
    many += "--b\nContent-Type: image/png\n\nx\n";
  }
  CHECK(why_not(many + "--b--\n").find("begins one part more than 512") != std::string::npos);
}

TEST_CASE("eml: alternatives, images of the html, and files have their places") {
  const auto read = read_eml(R"(From: a@example.com
Subject: Hi
Content-Type: multipart/mixed; boundary="m"

Nobody reads this.
--m
Content-Type: multipart/alternative; boundary="m-a"

--m-a
Content-Type: text/plain; charset=utf-8

Hi {{name}}
--m-a
Content-Type: multipart/related; boundary="m-r"; type="text/html"

--m-r
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<img src=3D"cid:logo%40example.com">{{na=
me}}
--m-r
Content-Type: image/png; name="=?utf-8?q?l=C3=B6go=2Epng?="
Content-Transfer-Encoding: base64
Content-ID: <logo@example.com>
Content-Disposition: inline; filename*=UTF-8''l%C3%B6go.png

iVBORw0KGgo=
--m-r--
--m-a--
--m
Content-Type: text/csv; charset=iso-8859-1; header=present
Content-Disposition: attachment;
 filename*1*=%20list.csv; filename*0*=iso-8859-1'de'Gr%FC%DF
Content-ID: <unused@example.com>

a,b

--m--
Nor this.
)");
  CHECK(read.text == "Hi {{name}}");
  CHECK(read.html == "<img src=\"cid:logo%40example.com\">{{name}}");
  REQUIRE(read.attachments.size() == 2);
  CHECK(read.attachments[0].content_id == "logo@example.com");
  CHECK(read.attachments[0].file_name == "l\xc3\xb6go.png");
  CHECK(read.attachments[0].content_type == "image/png");
  CHECK(read.attachments[0].content == "\x89PNG\r\n\x1a\n");
  CHECK(read.attachments[1].content_id.empty());
  CHECK(read.attachments[1].file_name == "Gr\xc3\xbc\xc3\x9f list.csv");
  CHECK(read.attachments[1].content_type == "text/csv; charset=iso-8859-1; header=present");
  CHECK(read.attachments[1].content == "a,b\r\n");
}

TEST_CASE("eml: what a template cannot have is refused by name") {
  const auto whole = [](Bytes type) {
    return why_not("From: a@example.com\nContent-Type: " + std::string(type) +
                   "; boundary=b\n\n--b\n\nHello\n--b--\n");
  };
  CHECK(whole("multipart/signed") ==
        "line 4: the message (multipart/signed) is signed or encrypted, which would not be true of "
        "what is made of it: save it without");
  CHECK(whole("multipart/encrypted").find("is signed or encrypted") != std::string::npos);
  CHECK(whole("multipart/report").find("(multipart/report) is none of") != std::string::npos);
  CHECK(why_not(with_fields("Content-Type: application/pkcs7-mime; smime-type=enveloped-data")) ==
        "line 4: the message (application/pkcs7-mime) is signed or encrypted (S/MIME): save the "
        "message without");
  CHECK(why_not(with_part("Content-Type: text/plain\n\nFooter")) ==
        "line 10: part 2 (text/plain) is one text more than a template can have: a text and an "
        "html, in multipart/alternative");
  CHECK(why_not(with_part("Content-Type: text/html\n\nFooter"))
            .starts_with("line 10: part 2 (text/html) is one text more"));
  CHECK(why_not("From: a@example.com\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\n"
                "Hello\n--b\nContent-Type: text/x-amp-html\n\n<amp>\n--b--\n") ==
        "line 10: part 2 (text/x-amp-html) is an alternative that a template cannot have: it has "
        "text and html");
  CHECK(read_eml(with_part("Content-Type: text/plain; name=a.txt\n\nFile")).attachments.size() ==
        1);
  CHECK(read_eml(with_part("Content-Type: message/rfc822\n\nSubject: x\n\nInner"))
            .attachments[0]
            .content == "Subject: x\r\n\r\nInner");
}
