// KumoMTA, nodemailer, listmonk: what their documentation shows, and what they do not have here.
#include <initializer_list>

#include <catch2/catch_test_macros.hpp>

#include "codec/dialect/address_list.h"
#include "codec/dialect/tag_text.h"
#include "tests/codec/dialect/dialect_support.h"

using namespace ringpost;
using codec::Dialect;
using test::translated;

namespace {

struct ProgramRefusal {
  Dialect dialect;
  const char* body;
  const char* verdict;  // its beginning
};

std::string listed_mailboxes(Bytes text) {
  std::vector<Bytes> parts;
  codec::split_address_list(text, parts);
  std::string joined;
  for (const Bytes part : parts) {
    joined.append("[").append(part).append("]");
  }
  return joined;
}

}  // namespace

TEST_CASE("KumoMTA: names of values are translated", "[dialect]") {
  CHECK(translated(
            Dialect::kumomta,
            R"({"envelope_sender":"id@bounces.example.com","content":{)"
            R"("text_body":"Hello {{ name }} {{ a.b | default('x') }} {single}",)"
            R"("html_body":"<p>{{name}}{{ x|safe }}</p>","subject":"hello {{ name }}",)"
            R"("from":{"email":"a@example.com","name":"A"},"reply_to":{"email":"r@example.com"},)"
            R"("headers":{"X-T":"{{ name }}"},"attachments":[{"data":"hi",)"
            R"("content_type":"text/plain","file_name":"a.txt"},{"data":"aGk=","base64":true,)"
            R"("content_type":"image/png","content_id":"i"}]},"recipients":[)"
            R"({"email":"j@example.com","name":"John","substitutions":{"age":42.10},)"
            R"("metadata":{"c":"p"}},{"email":"k@example.com"}],"substitutions":{"x":"<b>"},)"
            R"("deferred_spool":true,"trace_headers":{"received_header":true}})") ==
        R"({"from":{"email":"a@example.com","name":"A"},"reply_to":[{"email":"r@example.com"}],)"
        R"("subject":"hello {{name}}","text":"Hello {{name}} {{a.b|default:\"x\"}} {single}",)"
        R"("html":"<p>{{name}}{{&x}}</p>","headers":{"X-T":"{{name}}"},)"
        R"("attachments":[{"filename":"a.txt","content_type":"text/plain","content":"aGk="},)"
        R"({"content_type":"image/png","cid":"i","content":"aGk="}],)"
        R"("envelope":{"from":"id@bounces.example.com"},"recipients":[{"email":"j@example.com",)"
        R"("name":"John","merge":{"age":42.10},"metadata":{"c":"p"}},)"
        R"({"email":"k@example.com"}],"merge":{"x":"<b>"}})");
}

TEST_CASE("KumoMTA: a finished message goes to all as it stands", "[dialect]") {
  CHECK(translated(Dialect::kumomta,
                   R"({"envelope_sender":"","content":"From: a@example.com\nSubject: x\n\n{hi}",)"
                   R"("recipients":[{"email":"j@example.com"},{"email":"k@example.com"}]})") ==
        R"({"raw":"From: a@example.com\nSubject: x\n\n{hi}","envelope":{"from":"",)"
        R"("to":["j@example.com","k@example.com"]}})");
  CHECK(translated(Dialect::kumomta,
                   R"({"envelope_sender":"e@example.com","template_dialect":"Static",)"
                   R"("content":"Subject: {{x}}\n\n{% a %}","substitutions":{"x":1},)"
                   R"("recipients":[{"email":"j@example.com","metadata":{"k":"v"}}]})") ==
        R"({"raw":"Subject: {{x}}\n\n{% a %}","envelope":{"from":"e@example.com",)"
        R"("to":["j@example.com"]},"metadata":{"k":"v"}})");
}

TEST_CASE("KumoMTA: static text stays as it is", "[dialect]") {
  CHECK(translated(
            Dialect::kumomta,
            R"({"envelope_sender":"e@example.com","template_dialect":"Static","content":{)"
            R"("text_body":"{% if {{x}} %}","headers":{"subject":"s","From":"f@example.com"}},)"
            R"("recipients":[{"email":"j@example.com"},{"email":"k@example.com"}]})") ==
        R"({"subject":"s","text":"{% if {{&__brace}}{{&__brace}}x}} %}",)"
        R"("headers":{"From":"f@example.com"},"envelope":{"from":"e@example.com"},)"
        R"("recipients":[{"email":"j@example.com"},{"email":"k@example.com"}],)"
        R"("merge":{"__brace":"{"}})");
}

TEST_CASE("nodemailer: the forms of its fields", "[dialect]") {
  CHECK(
      translated(
          Dialect::nodemailer,
          R"({"from":"\"Fred\" <f@example.com>","sender":"s@example.com",)"
          R"("to":"bar@example.com, \"Baz, B\" <baz@example.com>; G: a@example.com;",)"
          R"("cc":[{"name":"N","address":"n@example.com"},{"name":"g","group":["x@example.com"]},)"
          R"("y@example.com"],"replyTo":{"address":"r@example.com"},"subject":"s {{x}}",)"
          R"("text":{"content":"dA==","encoding":"base64"},"html":{"path":"page.html"},)"
          R"("attachments":[{"filename":"a.txt","content":"hi"},{"encoding":"hex",)"
          R"("content":"6869",)"
          R"("filename":false},{"path":"data:text/plain;base64,aGk="},{"filename":"c","content":)"
          R"({"type":"Buffer","data":[104,105]},"cid":"<x@y>","contentDisposition":"inline"},)"
          R"({"path":"files/x.txt","contentType":"text/plain"}],)"
          R"("headers":{"X-A":["1","2"],"X-B":3,"X-C":{"prepared":true,"value":"c"}},)"
          R"("envelope":{"from":"E <e@example.com>","to":["z@example.com"],"cc":"w@example.com"},)"
          R"("dsn":{"id":"q","return":"headers","notify":["failure","delay"]},"priority":"high",)"
          R"("list":{"unsubscribe":{"url":"https://example.com/u","comment":"c"},)"
          R"("help":"h@example.com","id":"l.example.com","unsubscribe-post":"x"},)"
          R"("date":"2026-01-02T03:04:05.000Z","messageId":"a@b","inReplyTo":"<i@b>",)"
          R"("references":["x@y","<z@q>"],"encoding":"utf-8","disableUrlAccess":true})") ==
      R"({"from":{"email":"f@example.com","name":"Fred"},"reply_to":[{"email":"r@example.com"}],)"
      R"("to":[{"email":"bar@example.com"},{"email":"baz@example.com","name":"Baz, B"},)"
      R"({"email":"a@example.com"}],"cc":[{"email":"n@example.com","name":"N"},)"
      R"({"email":"x@example.com"},{"email":"y@example.com"}],"subject":"s {{x}}","text":"t",)"
      R"("html_file":"page.html","headers":{"Sender":"s@example.com","X-A":["1","2"],"X-B":"3",)"
      R"~("X-C":"c","X-Priority":"1 (Highest)","X-MSMail-Priority":"High","Importance":"High",)~"
      R"~("List-Unsubscribe":"<https://example.com/u> (c)","List-Help":"<mailto:h@example.com>",)~"
      R"("List-ID":"<l.example.com>","List-Unsubscribe-Post":"<http://x>",)"
      R"("Date":"Fri, 02 Jan 2026 03:04:05 +0000","Message-ID":"<a@b>","In-Reply-To":"<i@b>",)"
      R"("References":"<x@y> <z@q>"},"attachments":[{"filename":"a.txt","content":"aGk="},)"
      R"({"content":"aGk="},{"content_type":"text/plain","content":"aGk="},{"filename":"c",)"
      R"("cid":"x@y","content":"aGk="},{"content_type":"text/plain","path":"files/x.txt"}],)"
      R"("envelope":{"from":"e@example.com","to":["z@example.com","w@example.com"],"dsn":{)"
      R"("envid":"q","ret":"HDRS","notify":"failure,delay"}}})");
}

TEST_CASE("nodemailer: a finished message", "[dialect]") {
  CHECK(
      translated(Dialect::nodemailer,
                 R"({"envelope":{"from":"","to":"b@example.com"},"subject":"not this",)"
                 R"("raw":"Subject: x\r\n\r\nhi"})") ==
      R"({"raw_base64":"U3ViamVjdDogeA0KDQpoaQ==","envelope":{"from":"","to":["b@example.com"]}})");
  CHECK(translated(Dialect::nodemailer,
                   R"({"from":"a@example.com","to":"b@example.com","raw":{"path":"m.eml"}})") ==
        R"({"from":{"email":"a@example.com"},"to":[{"email":"b@example.com"}],)"
        R"("raw_file":"m.eml"})");
}

TEST_CASE("listmonk: a messenger's message", "[dialect]") {
  std::string job;
  CHECK(translated(
            Dialect::listmonk,
            R"({"subject":"Welcome","from_email":"List <l@example.com>","body":"The {{body}}",)"
            R"("content_type":"plain","recipients":[{"uuid":"e44b","email":"anon@example.com",)"
            R"("name":"Anon Doe","attribs":{"phone":"1"},"status":"enabled"}],"campaign":{)"
            R"("from_email":"l@example.com","uuid":"2e7e","name":"Test","headers":[{"X-A":"b"},)"
            R"({"X-B":"c"}],"tags":["t"]},"attachments":[{"name":"a.png","header":{)"
            R"("Content-Type":["image/png; name=\"a.png\""],"Content-Id":["<i>"]},)"
            R"("content":"aGk="}]})",
            &job) ==
        R"({"from":{"email":"l@example.com","name":"List"},"to":[{"email":"anon@example.com",)"
        R"("name":"Anon Doe"}],"subject":"Welcome","text":"The {{body}}","headers":{"X-A":"b",)"
        R"("X-B":"c","X-Listmonk-Campaign":"2e7e","X-Listmonk-Subscriber":"e44b"},)"
        R"("attachments":[{"filename":"a.png","content_type":"image/png","cid":"i",)"
        R"("content":"aGk="}],"tags":["t"],"metadata":{"listmonk_campaign":"2e7e",)"
        R"("campaign":"Test","listmonk_subscriber":"e44b"}})");
  CHECK(job.starts_with(R"({"id":"2e7e/e44b",)"));
  CHECK(translated(Dialect::listmonk,
                   R"({"subject":"s","from_email":"","body":"<p>","content_type":"richtext",)"
                   R"("recipients":[{"email":"a@example.com"}],"campaign":{"from_email":)"
                   R"("l@example.com","headers":null},"attachments":null})") ==
        R"({"from":{"email":"l@example.com"},"to":[{"email":"a@example.com"}],"subject":"s",)"
        R"("html":"<p>"})");
}

TEST_CASE("What these programs have and SMTP submission has not is named", "[dialect]") {
  for (const ProgramRefusal& row : std::initializer_list<ProgramRefusal>{
           {Dialect::kumomta,
            R"({"content":{"text_body":"{% if x %}a{% endif %}"},)"
            R"("envelope_sender":"a@example.com","recipients":)"
            R"([{"email":"b@example.com"}]})",
            "unsupported_field content.text_body: cannot be had: {% if x %}: statements"},
           {Dialect::kumomta,
            R"({"content":{"text_body":"t","headers":{"X-A":"{{ x|upper }}"}},)"
            R"("envelope_sender":"a@example.com","recipients":)"
            R"([{"email":"b@example.com"}]})",
            "unsupported_field content.headers.X-A: cannot be had: {{ x|upper }}: of filters"},
           {Dialect::kumomta,
            R"({"content":"Subject: {{x}}\n\nb","envelope_sender":)"
            R"("a@example.com","recipients":[{"email":"b@example.com"}]})",
            "unsupported_field content: cannot be had: values within a finished message"},
           {Dialect::kumomta,
            R"({"content":"S: x\n\nb","envelope_sender":"a@example.com",)"
            R"("recipients":[{"email":"b@example.com"},{"email":"c@example.com",)"
            R"("metadata":{"a":1}}]})",
            "unsupported_field recipients[1].metadata: cannot be had"},
           {Dialect::kumomta, R"({"content":{"amp_html_body":"x"}})",
            "unsupported_field content.amp_html_body: cannot be had"},
           {Dialect::kumomta, R"({"template_dialect":"jinja"})", "invalid_value template_dialect"},
           {Dialect::kumomta, R"({"envelope_sender":"a"})", "invalid_address envelope_sender"},
           {Dialect::kumomta, R"({"recipients":[{"name":"n"}]})",
            "missing_field recipients[0].email: is missing"},
           {Dialect::nodemailer, R"({"text":{"path":"https://example.com/a"}})",
            "unsupported_field text.path: cannot be had: nothing is fetched"},
           {Dialect::nodemailer, R"({"attachments":[{"href":"https://example.com/a"}]})",
            "unsupported_field attachments[0].href: cannot be had: nothing is fetched"},
           {Dialect::nodemailer, R"({"attachments":[{"content":{"_readableState":{}}}]})",
            "unsupported_field attachments[0].content: cannot be had: a stream"},
           {Dialect::nodemailer, R"({"attachments":[{"content":"a","encoding":"latin1"}]})",
            "unsupported_field attachments[0].content: cannot be had: encodings"},
           {Dialect::nodemailer, R"({"attachments":[{"content":"6g","encoding":"hex"}]})",
            "invalid_value attachments[0].content: is not hexadecimal"},
           {Dialect::nodemailer, R"({"attachments":[{"path":"data:text/plain,a"}]})",
            "unsupported_field attachments[0].path: cannot be had: of data: URLs"},
           {Dialect::nodemailer, R"({"icalEvent":{"content":"x"}})",
            "unsupported_field icalEvent: cannot be had"},
           {Dialect::nodemailer, R"({"dkim":{"keySelector":"x"}})", "unsupported_field dkim"},
           {Dialect::nodemailer, R"({"disableFileAccess":true,"html":{"path":"x"}})",
            "conflicting_fields disableFileAccess: is true, and a path is named"},
           {Dialect::nodemailer, R"({"from":"a@example.com, b@example.com"})",
            "invalid_value from: takes one address"},
           {Dialect::nodemailer, R"({"to":["a@example.com",{"name":"x","adress":"y"}]})",
            "unknown_field to[1].adress: unknown field; did you mean \"address\"?"},
           {Dialect::nodemailer, R"({"to":{"group":[{"group":["x"]}]}})",
            "invalid_address to.group[0].group[0]: the '@' is missing"},
           {Dialect::nodemailer, R"({"dsn":{"recipient":"a@example.com"}})",
            "unsupported_field dsn.recipient: cannot be had"},
           {Dialect::listmonk,
            R"({"recipients":[{"email":"a@example.com","status":"blocklisted"}]})",
            "invalid_value recipients[0].status: is \"blocklisted\""},
           {Dialect::listmonk, R"({"content_type":"sms"})", "invalid_value content_type: must be"},
           {Dialect::listmonk, R"({"attachments":[{"content":"?"}]})",
            "invalid_base64 attachments[0].content"},
           {Dialect::listmonk, "[]", "not_an_object the line is no body of listmonk"}}) {
    CAPTURE(row.body);
    const std::string verdict = translated(row.dialect, row.body);
    CAPTURE(verdict);
    CHECK(verdict.starts_with(row.verdict));
  }
}

TEST_CASE("Lists of addresses are split where a comma is between them", "[dialect]") {
  CHECK(listed_mailboxes("a@b, \"C, \\\"D\" <c@d> ;e@f") == "[a@b][\"C, \\\"D\" <c@d>][e@f]");
  CHECK(listed_mailboxes("Group: a@b, c@d; e@[IPv6:::1], <x:y,z>") ==
        "[a@b][c@d][e@[IPv6:::1]][<x:y,z>]");
  CHECK(listed_mailboxes(" , ;").empty());
  CHECK(listed_mailboxes("\"open, \\") == "[\"open, \\]");
}

TEST_CASE("Braces that are text never begin a tag", "[dialect]") {
  const auto made = [](Bytes before, Bytes after) {
    codec::TemplateText text;
    text.add_literal(before);
    text.add_value("v", false);
    text.add_literal(after);
    return text.take();
  };
  CHECK(made("a{", "}b") == "a{{&__brace}}{{&v}}}b");
  CHECK(made("{{", "{") == "{{&__brace}}{{&__brace}}{{&v}}{");
  CHECK(made("{x", "{{{") == "{x{{&v}}{{&__brace}}{{&__brace}}{{&__brace}}");
}

TEST_CASE("Dialects have names", "[dialect]") {
  REQUIRE(codec::dialect_names().size() == 7);
  CHECK(codec::dialect_of("sendgrid") == Dialect::sendgrid);
  CHECK(codec::dialect_of("listmonk") == Dialect::listmonk);
  CHECK_FALSE(codec::dialect_of("SendGrid"));
}
