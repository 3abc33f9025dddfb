#include "codec/mail/composition.h"

#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <ringpost/limits.h>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

constexpr const char* id = "000000000000000100000000000000ff";

// A draft whose parts stay alive with it.
struct Letter {
  std::vector<Mailbox> from = {{"News", "news@example.com"}};
  std::vector<Mailbox> to = {{"", "ann@example.net"}};
  std::vector<HeaderField> headers;
  std::vector<Attachment> attachments;
  std::string text;
  std::string html;
  Composition draft;

  Letter() {
    draft.subject = "Hello";
    draft.message_id_domain = "example.com";
    draft.identity = {1, 255};
  }
  static TextPart part(std::string& text) {
    const auto traits = canonicalise_text(text, NewlinePolicy::normalize);
    REQUIRE(traits);
    return {text, *traits};
  }
  Letter& with_text(std::string value) {
    text = std::move(value);
    draft.text = part(text);
    return *this;
  }
  Letter& with_html(std::string value) {
    html = std::move(value);
    draft.html = part(html);
    return *this;
  }
  // The message, or "field: " and the reason.
  std::string compose() {
    draft.from = from;
    draft.to = to;
    draft.headers = headers;
    draft.attachments = attachments;
    std::string content;
    const auto result = codec::compose(draft, content);
    return result ? content : result.error().field + ": " + result.error().reason;
  }
  // What stands behind MIME-Version.
  std::string body() {
    const std::string content = compose();
    const std::size_t begin = content.find("MIME-Version: 1.0\r\n");
    REQUIRE(begin != std::string::npos);
    return content.substr(begin + 19);
  }
};

}  // namespace

TEST_CASE("message: text alone is one part") {
  CHECK(Letter().with_text("Hi\n").compose() ==
        "From: News <news@example.com>\r\n"
        "To: ann@example.net\r\n"
        "Subject: Hello\r\n"
        "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"
        "Message-ID: <" +
            std::string(id) +
            "@example.com>\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 7bit\r\n"
            "\r\n"
            "Hi\r\n");
  CHECK(Letter().with_text("no line end").body().ends_with("\r\n\r\nno line end\r\n"));
  CHECK(Letter().with_text("").body().ends_with("7bit\r\n\r\n\r\n"));
}

TEST_CASE("message: text and html are alternatives, attachments are mixed with them") {
  Letter letter;
  letter.with_text("Hi").with_html("<p>Hi</p>\n<img src=cid:logo>");
  letter.attachments = {{"a.pdf", "", "", "PDF"}, {"logo.png", "", "logo", "PNG"}};
  const std::string b = "=_" + std::string(id);
  CHECK(letter.body() ==
        "Content-Type: multipart/mixed;\r\n boundary=\"" + b +
            "m\"\r\n\r\n"
            "--" +
            b +
            "m\r\n"
            "Content-Type: multipart/alternative;\r\n boundary=\"" +
            b +
            "a\"\r\n\r\n"
            "--" +
            b +
            "a\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
            "Hi\r\n"
            "--" +
            b +
            "a\r\n"
            "Content-Type: multipart/related; type=\"text/html\";\r\n boundary=\"" +
            b +
            "r\"\r\n\r\n"
            "--" +
            b +
            "r\r\n"
            "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
            "<p>Hi</p>\r\n<img src=cid:logo>\r\n"
            "--" +
            b +
            "r\r\n"
            "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
            "Content-Disposition: inline;\r\n filename=\"logo.png\"\r\nContent-ID: <logo>\r\n\r\n"
            "UE5H\r\n"
            "--" +
            b +
            "r--\r\n"
            "--" +
            b +
            "a--\r\n"
            "--" +
            b +
            "m\r\n"
            "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
            "Content-Disposition: attachment;\r\n filename=\"a.pdf\"\r\n\r\n"
            "UERG\r\n"
            "--" +
            b + "m--\r\n");
}

TEST_CASE("message: levels with one child are left out") {
  Letter html;
  html.with_html("<p>");
  CHECK(html.body().starts_with("Content-Type: text/html; charset=utf-8\r\n"));
  html.attachments = {{"a.png", "", "cid", "x"}};
  CHECK(html.body().starts_with("Content-Type: multipart/related;"));
  Letter text;
  text.with_text("x");
  text.attachments = {{"a.png", "", "cid", "x"}};  // nothing refers to it
  CHECK(text.body().starts_with("Content-Type: multipart/mixed;"));
  Letter file;
  file.attachments = {{"a.csv", "", "", "x"}};
  CHECK(file.body() ==
        "Content-Type: text/csv; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment;\r\n filename=\"a.csv\"\r\n\r\neA==\r\n");
}

TEST_CASE("message: text is encoded only when it must be") {
  const auto encoding = [](const std::string& text) {
    const std::string body = Letter().with_text(text).body();
    const std::size_t begin = body.find("Encoding: ") + 10;
    return body.substr(begin, body.find('\r', begin) - begin);
  };
  CHECK(encoding(std::string(998, 'x')) == "7bit");
  CHECK(encoding(std::string(999, 'x')) == "quoted-printable");
  CHECK(encoding("Gr\xc3\xbc\xc3\x9f"
                 "e aus K\xc3\xb6ln") == "quoted-printable");
  CHECK(encoding("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82") == "base64");
}

TEST_CASE("message: no part can contain a boundary, even one that knows it") {
  Letter letter;
  letter.with_text("x\n--=_" + std::string(id) + "a--\ny\n").with_html("<p>");
  const std::string body = letter.body();
  CHECK(body.find("--=3D_" + std::string(id)) != std::string::npos);
  std::size_t closings = 0;
  for (std::size_t at = body.find("a--\r\n"); at != std::string::npos;
       at = body.find("a--\r\n", at + 1)) {
    closings += body.substr(at - 36, 4) == "--=_" ? 1U : 0U;
  }
  CHECK(closings == 1);
}

TEST_CASE("message: everything is 7 bits in lines that fit") {
  Letter letter;
  letter.with_text("\xc3\xa4" + std::string(3000, 'x')).with_html("\xe2\x82\xac");
  letter.draft.subject = "\xc3\xa4\xc3\xb6";
  letter.from[0].name = "J\xc3\xb6rg";
  letter.headers = {{"X-Note", "\xc3\xbc"}};
  letter.attachments = {{"\xc3\xbc.bin", "", "", std::string("\0\xff", 2)}};
  std::string content = letter.compose();
  const auto traits = canonicalise(content, NewlinePolicy::strict);
  REQUIRE(traits);
  CHECK_FALSE(traits->has_8bit);
}

TEST_CASE("message: the job's own Date and Message-ID win") {
  Letter letter;
  letter.with_text("x");
  letter.headers = {{"date", "Fri, 20 Nov 2026 21:22:23 +0000"}, {"Message-Id", "<a@b>"}};
  const std::string content = letter.compose();
  CHECK(content.find("1970") == std::string::npos);
  CHECK(content.find(id) == std::string::npos);
  CHECK(content.find("\r\nMessage-Id: <a@b>\r\n") != std::string::npos);
  letter.headers = {{"Message-ID", "a@b"}};
  CHECK(letter.compose() == "headers.Message-ID: must look like <left@right>");
}

TEST_CASE("message: nobody is undisclosed only when nobody is named") {
  Letter letter;
  letter.with_text("x");
  letter.to.clear();
  CHECK(letter.compose().find("To: undisclosed-recipients:;\r\n") != std::string::npos);
  letter.headers = {{"To", "all: a@b;"}};
  CHECK(letter.compose().find("undisclosed") == std::string::npos);
}

TEST_CASE("message: a list of values makes as many fields") {
  Letter letter;
  letter.with_text("x");
  letter.headers = {{"X-Tag", "a"}, {"X-Tag", "b"}};
  CHECK(letter.compose().find("X-Tag: a\r\nX-Tag: b\r\n") != std::string::npos);
}

TEST_CASE("message: structured fields are not touched by encoded words") {
  Letter letter;
  letter.with_text("x");
  letter.headers = {{"Sender", "J\xc3\xb6rg <a@b>"}};
  CHECK(letter.compose().starts_with("headers.Sender: must be ASCII"));
}

TEST_CASE("message: types of attachments are checked, or taken from the name") {
  Letter letter;
  letter.with_text("x");
  const auto type = [&letter](const std::string& given, const std::string& name) {
    letter.attachments = {{name, given, "", "x"}};
    const std::string content = letter.compose();
    const std::size_t begin = content.rfind("Content-Type: ");
    return begin == std::string::npos
               ? content
               : content.substr(begin + 14, content.find("\r\nContent-Tr", begin) - begin - 14);
  };
  CHECK(type("", "A.JPG") == "image/jpeg");
  CHECK(type("", "x.unknown") == "application/octet-stream");
  CHECK(type("", "pdf") == "application/octet-stream");
  CHECK(type("text/x; a=\"b;\\\"c\" ; d=e", "x") == "text/x; a=\"b;\\\"c\" ; d=e");
  for (const char* bad :
       {"text", "/x", "text/", "text/x y", "text/x;", "text/x; a", "text/x; a=", "text/x; =b",
        "text/x; a=\"b", "te(xt)/x", "text/x; a=b c", "text/\xc3\xa4"}) {
    INFO(bad);
    CHECK(type(bad, "x").starts_with("attachments[0].content_type: must look"));
  }
  for (const char* bad : {"Multipart/mixed", "message/partial", "message/external-body; x=y"}) {
    INFO(bad);
    CHECK(type(bad, "x").starts_with("attachments[0].content_type: multipart/*"));
  }
}

TEST_CASE("message: an empty text or html is no part where there is another") {
  CHECK(Letter().with_text("x").with_html("").body().starts_with("Content-Type: text/plain;"));
  CHECK(Letter().with_text("").with_html("<p>").body().starts_with("Content-Type: text/html;"));
  CHECK(Letter().with_html("").body() ==
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\r\n");
  Letter file;
  file.with_html("");
  file.attachments = {{"a.png", "", "cid", "x"}};
  CHECK(file.body().starts_with("Content-Type: image/png\r\n"));
}

TEST_CASE("message: a message is attached as it is") {
  Letter letter;
  letter.with_text("x").with_html("<p>");
  const std::string inner = "Subject: \xc3\xbc\r\n\r\n.\r\nFrom\r\n";
  letter.attachments = {{"a.eml", "message/rfc822", "cid", inner}};
  CHECK(letter.body().find("m\r\nContent-Type: message/rfc822\r\n"
                           "Content-Transfer-Encoding: 8bit\r\n"
                           "Content-Disposition: attachment;\r\n filename=\"a.eml\"\r\n"
                           "Content-ID: <cid>\r\n\r\n" +
                           inner + "\r\n--=_") != std::string::npos);
  letter.attachments = {{"", "Message/RFC822", "", "A: b\r\n\r\nx"}};
  CHECK(letter.body().find("Content-Transfer-Encoding: 7bit\r\n"
                           "Content-Disposition: attachment\r\n\r\nA: b\r\n\r\nx\r\n--=_") !=
        std::string::npos);
  Letter alone;
  alone.attachments = letter.attachments;
  CHECK(alone.body().ends_with("\r\n\r\nA: b\r\n\r\nx\r\n"));
  for (const std::string& bad :
       {std::string(), std::string("no message"), std::string("From a@b\r\nA: b\r\n"),
        std::string("A: b\r\n\r\nx\ny"), std::string("A: b\r\n\r\nx\0y", 12),
        "A: b\r\n\r\n" + std::string(999, 'x'), "A: b\r\n\r\n" + std::string(999, 'x') + "\r\n"}) {
    INFO(bad);
    letter.attachments[0].content = bad;
    CHECK(letter.compose().starts_with("attachments[0]: "));
    CHECK(letter.compose().ends_with("as application/octet-stream it can be attached"));
  }
  letter.attachments[0].content = "A: b\r\n\r\n" + std::string(998, 'x') + "\r\n";
  CHECK(letter.compose().starts_with("From: "));
}

TEST_CASE("message: an attached message cannot break the one it stands in") {
  Letter letter;
  letter.with_text("x");
  letter.attachments = {{"", "message/rfc822", "",
                         "A: b\r\n\r\n--=_" + std::string(id) +
                             "m\r\nContent-Type: text/html\r\n\r\n<p>\r\n--=_" + id + "m--\r\n"}};
  CHECK(letter.body().find("boundary=\"=_0000000000000001"
                           "0000000000000100m\"") != std::string::npos);
  // Nor one that knows all that would be tried.
  std::string& content = letter.attachments[0].content;
  for (const char* end : {"100", "101", "102", "103", "104", "105", "106", "107"}) {
    content +=
        "0000000000000001"
        "0000000000000" +
        std::string(end) + "\r\n";
  }
  CHECK(letter.compose().starts_with("attachments: have a message"));
}

TEST_CASE("message: text that is attached is not part of the body") {
  Letter letter;
  letter.with_html("<p>");
  letter.attachments = {{"a.css", "text/css", "c", "x"}, {"b.txt", "", "d", "y"}};
  const std::string body = letter.body();
  CHECK(body.starts_with("Content-Type: multipart/related"));
  CHECK(body.find("inline") == std::string::npos);
  CHECK(body.find("Content-Type: text/css\r\nContent-Transfer-Encoding: base64\r\n"
                  "Content-Disposition: attachment;\r\n filename=\"a.css\"\r\n"
                  "Content-ID: <c>\r\n") != std::string::npos);
}

TEST_CASE("message: a file name that is not plain ASCII is told to old readers, too") {
  Letter letter;
  letter.attachments = {{"\xc3\xbc.bin", "application/x; a=b", "", "x"}};
  CHECK(letter.body().starts_with(
      "Content-Type: application/x; a=b;\r\n name=\"=?UTF-8?Q?=C3=BC=2Ebin?=\"\r\n"
      "Content-Transfer-Encoding: base64\r\n"
      "Content-Disposition: attachment;\r\n filename*=UTF-8''%C3%BC.bin\r\n"));
  letter.attachments[0].content_type = "application/x; Name=own";
  CHECK(letter.body().starts_with("Content-Type: application/x; Name=own\r\n"));
}

TEST_CASE("message: a subject comes back as it was given, in either place") {
  Letter letter;
  letter.with_text("x");
  letter.draft.subject = "  a  =?b";
  CHECK(letter.compose().find("\r\nSubject: =?UTF-8?Q?__a__=3D=3Fb?=\r\n") != std::string::npos);
  letter.draft.subject.reset();
  letter.headers = {{"subject", "a  b"}, {"X-A", "a  =?b"}};
  CHECK(letter.compose().find("\r\nsubject: =?UTF-8?Q?a__b?=\r\nX-A: a  =?b\r\n") !=
        std::string::npos);
}

TEST_CASE("message: what somebody wrote into a field of his own is read as he wrote it") {
  Letter letter;
  letter.with_text("x");
  const auto written = [&](Bytes name, Bytes value) {
    letter.headers = {{std::string(name), std::string(value)}};
    const std::string content = letter.compose();
    const std::size_t begin = content.find("\r\n" + std::string(name) + ": ");
    return begin == std::string::npos
               ? content
               : content.substr(begin + 2, content.find("\r\nMIME-Version") - begin - 2);
  };
  // Readers decode these wherever they stand, some also with blanks in them.
  CHECK(written("X-A", "=?utf-8?q?a?=") == "X-A: =?UTF-8?Q?=3D=3Futf-8=3Fq=3Fa=3F=3D?=");
  CHECK(written("X-A", "a =?utf-8?B?b b?= c") ==
        "X-A: a =?UTF-8?Q?=3D=3Futf-8=3FB=3Fb_b=3F=3D?= c");
  // These are none, and programs read them.
  for (const Bytes value : {"https://a.example/?b=?c", "=?", "=?a?x?b?=", "=?a?q?b", "{\"a\":  1}",
                            "=?=?=?=", "?==?"}) {
    CHECK(written("X-A", value) == "X-A: " + std::string(value));
  }
  // Here an encoded word may be what was meant.
  for (const Bytes name : {"Sender", "List-ID", "resent-to"}) {
    CHECK(written(name, "=?utf-8?q?a?= <a@b>") == std::string(name) + ": =?utf-8?q?a?= <a@b>");
  }
  // Blanks at the ends are kept where people read, and refused where they would be lost.
  CHECK(written("Comments", " a ") == "Comments: =?UTF-8?Q?_a_?=");
  for (const Bytes value : {" a", "a ", "\ta", " ", "\xc3\xa4 "}) {
    CHECK(written("X-A", value).starts_with("headers.X-A: begins or ends with a blank"));
    CHECK(written("Sender", value).starts_with("headers.Sender: begins or ends with a blank"));
  }
  CHECK(written("X-A", "") == "X-A: ");
}

TEST_CASE("message: an author and some content are required") {
  CHECK(Letter().compose().starts_with(": there is no content"));
  Letter letter;
  letter.with_text("x");
  letter.from.clear();
  CHECK(letter.compose().starts_with("from: is missing"));
  letter.headers = {{"From", "a@b"}};
  CHECK(letter.compose().find("From: a@b\r\n") != std::string::npos);
}

TEST_CASE("message: a field that fits on no line is refused") {
  Letter letter;
  letter.with_text("x");
  letter.draft.subject = "";
  const std::string word(1000, 'x');
  letter.draft.subject = word;
  CHECK(letter.compose().starts_with("subject: has a word"));
  letter.draft.subject = "x";
  letter.headers = {{"X-A", word}};
  CHECK(letter.compose().starts_with("headers.X-A: has a word"));
}
