// Mailgun, Postmark, SES: what their documentation shows, and what they do not have here.
#include <initializer_list>

#include <catch2/catch_test_macros.hpp>

#include "tests/codec/dialect/dialect_support.h"

using namespace ringpost;
using codec::Dialect;
using test::translated;

namespace {

struct ServiceRefusal {
  Dialect dialect;
  const char* body;
  const char* verdict;  // its beginning
};

}  // namespace

TEST_CASE("Mailgun: recipient variables are raw values of each", "[dialect]") {
  CHECK(translated(
            Dialect::mailgun,
            R"({"from":"Excited User <p@example.com>","to":["alice@example.com",)"
            R"("Bob <BOB@example.com>"],"subject":"Hey %recipient.name%",)"
            R"("text":"<https://example.com/u/%recipient.id%> 100% {{x}} %recipient.a b% )"
            R"(%recipient_email%","recipient-variables":"{\"alice@example.com\":{\"name\":)"
            R"(\"Alice\",\"id\":1,\"unused\":[]},\"bob@example.com\":{\"id\":1.50}}",)"
            R"("o:tag":["x"],"v:my":{"a":1},"h:List-Unsubscribe":)"
            R"("<https://example.com/%recipient.id%>","o:tracking":true,"o:testmode":"no"})") ==
        R"({"from":{"email":"p@example.com","name":"Excited User"},)"
        R"("subject":"Hey {{&recipient.name}}",)"
        R"("text":"<https://example.com/u/{{&recipient.id}}> 100% {{&__brace}}{{&__brace}}x}} )"
        R"(%recipient.a b% {{&email}}",)"
        R"("headers":{"List-Unsubscribe":"<https://example.com/{{&recipient.id}}>"},)"
        R"("tags":["x"],"metadata":{"my":{"a":1}},"recipients":[)"
        R"({"email":"alice@example.com","merge":{"recipient":{"id":"1","name":"Alice"}}},)"
        R"({"email":"BOB@example.com","name":"Bob","merge":{"recipient":{"id":"1.50"}}}],)"
        R"("merge":{"__brace":"{"}})");
}

TEST_CASE("Mailgun: keys that no template could have are renamed", "[dialect]") {
  CHECK(
      translated(Dialect::mailgun,
                 R"({"from":"p@example.com","to":"a@example.com","subject":"s",)"
                 R"("text":"%recipient.a.b% %recipient.a-b% %recipient.a}}b%",)"
                 R"("recipient-variables":{"a@example.com":{"a.b":"1","a-b":"2","a}}b":"3"}}})") ==
      R"({"from":{"email":"p@example.com"},"to":[{"email":"a@example.com"}],"subject":"s",)"
      R"("text":"{{&recipient.a_b}} {{&recipient.a_b_}} {{&recipient.a__b}}",)"
      R"("merge":{"recipient":{"a_b_":"2","a_b":"1","a__b":"3"}}})");
}

TEST_CASE("Mailgun: without variables all are in one message", "[dialect]") {
  CHECK(
      translated(Dialect::mailgun,
                 R"({"from":"p@example.com","to":"a@example.com, \"B, C\" <b@example.com>",)"
                 R"("cc":"c@example.com","subject":"s","html":"%recipient.x% {{y}}",)"
                 R"("attachment":[{"filename":"a.txt","data":"hi"}],"inline":{"filename":"l.png",)"
                 R"("data":{"type":"Buffer","data":[104,105]}}})") ==
      R"({"from":{"email":"p@example.com"},"to":[{"email":"a@example.com"},)"
      R"({"email":"b@example.com","name":"B, C"}],"cc":[{"email":"c@example.com"}],)"
      R"("subject":"s","html":"%recipient.x% {{y}}","attachments":[{"filename":"a.txt",)"
      R"("content":"aGk="},{"filename":"l.png","cid":"l.png","content":"aGk="}]})");
}

TEST_CASE("Postmark: one body", "[dialect]") {
  CHECK(translated(Dialect::postmark,
                   R"({"From":"S <s@example.com>","To":"a@example.com,B <b@example.com>",)"
                   R"("Cc":"c@example.com","Bcc":"","Subject":"t {{x}}","Tag":"news",)"
                   R"("HtmlBody":"<b>","TextBody":"t","ReplyTo":"r@example.com",)"
                   R"("Headers":[{"Name":"X-A","Value":"1"},{"Name":"x-a","Value":"2"}],)"
                   R"("Metadata":{"k":"v"},"TrackOpens":true,"MessageStream":"outbound",)"
                   R"("Attachments":[{"Name":"l.png","Content":"aGk=","ContentType":"image/png",)"
                   R"("ContentID":"cid:l"}]})") ==
        R"({"from":{"email":"s@example.com","name":"S"},"reply_to":[{"email":"r@example.com"}],)"
        R"("to":[{"email":"a@example.com"},{"email":"b@example.com","name":"B"}],)"
        R"("cc":[{"email":"c@example.com"}],"subject":"t {{x}}","text":"t","html":"<b>",)"
        R"("headers":{"X-A":["1","2"]},"attachments":[{"filename":"l.png",)"
        R"("content_type":"image/png","cid":"l","content":"aGk="}],"tags":["news"],)"
        R"("metadata":{"k":"v"}})");
}

TEST_CASE("Postmark: a bulk body is a template", "[dialect]") {
  CHECK(translated(
            Dialect::postmark,
            R"({"From":"s@example.com","Subject":"For {{ FirstName }}",)"
            R"("TextBody":"{{#each items}}- {{name}}{{/each}}{{^items}}none{{/items}}{{!c}}",)"
            R"("HtmlBody":"{{{FirstName}}}{{&FirstName}}{ {{FirstName}}","Messages":[)"
            R"({"To":"a@example.com","TemplateModel":{"FirstName":"J","items":[{"name":1.10}]}},)"
            R"({"To":"b@example.com","Cc":"c@example.com","Metadata":{"k":1}}]})") ==
        R"({"from":{"email":"s@example.com"},"subject":"For {{FirstName}}",)"
        R"("text":"{{#items}}- {{name}}{{/items}}{{^items}}none{{/items}}",)"
        R"("html":"{{&FirstName}}{{&FirstName}}{ {{FirstName}}","recipients":[)"
        R"({"email":"a@example.com","merge":{"FirstName":"J","items":[{"name":1.10}]}},)"
        R"({"email":"b@example.com","metadata":{"k":1},"headers":{"To":"b@example.com",)"
        R"("Cc":"c@example.com"}},{"email":"c@example.com","metadata":{"k":1},)"
        R"("headers":{"To":"b@example.com","Cc":"c@example.com"}}],"merge":{}})");
}

TEST_CASE("Postmark: a batch that shares its content is one job", "[dialect]") {
  CHECK(translated(
            Dialect::postmark,
            R"([{"From":"s@example.com","To":"a@example.com","Subject":"x","TextBody":"{{l}}"},)"
            R"({"From":"s@example.com","To":"b@example.com","Subject":"x","TextBody":"{{l}}",)"
            R"("Metadata":{"k":"v"}}])") ==
        R"({"from":{"email":"s@example.com"},"subject":"x",)"
        R"("text":"{{&__brace}}{{&__brace}}l}}","recipients":[{"email":"a@example.com"},)"
        R"({"email":"b@example.com","metadata":{"k":"v"}}],"merge":{"__brace":"{"}})");
  std::string left;
  CHECK(
      translated(Dialect::postmark,
                 R"([{"From":"s@example.com","To":"a@example.com","Subject":"x","TextBody":"t"},)"
                 R"({"From":"s@example.com","To":"b@example.com","Subject":"y","TextBody":"t"}])",
                 &left) ==
      "unsupported_field [1]: is another message than the first: one body a line: split the array");
  CHECK(left.find(R"("to":[{"email":"a@example.com"},{"email":"b@example.com"}])") !=
        std::string::npos);
}

TEST_CASE("SES: SendEmail", "[dialect]") {
  CHECK(
      translated(Dialect::ses,
                 R"({"FromEmailAddress":"M <m@example.com>","Destination":{"ToAddresses":)"
                 R"(["a@example.com"],"BccAddresses":["b@example.com"]},)"
                 R"("ReplyToAddresses":["r@example.com"],)"
                 R"("FeedbackForwardingEmailAddress":"f@example.com","Content":{"Simple":{)"
                 R"("Subject":{"Data":"s {{x}}","Charset":"UTF-8"},"Body":{"Text":{"Data":"t"},)"
                 R"("Html":{"Data":"<b>"}},"Headers":[{"Name":"X-A","Value":"1"}],)"
                 R"("Attachments":[{"FileName":"a.txt","RawContent":"aGk=",)"
                 R"("ContentDisposition":"ATTACHMENT"}]}},"EmailTags":[{"Name":"n","Value":"v"}],)"
                 R"("ConfigurationSetName":"c"})") ==
      R"({"from":{"email":"m@example.com","name":"M"},"reply_to":[{"email":"r@example.com"}],)"
      R"("to":[{"email":"a@example.com"}],"bcc":[{"email":"b@example.com"}],)"
      R"("subject":"s {{x}}","text":"t","html":"<b>","headers":{"X-A":"1"},)"
      R"("attachments":[{"filename":"a.txt","content":"aGk="}],)"
      R"("envelope":{"from":"f@example.com"},"metadata":{"n":"v"}})");
  CHECK(translated(Dialect::ses,
                   R"({"FromEmailAddress":"m@example.com","Destination":{"ToAddresses":)"
                   R"(["a@example.com"],"CcAddresses":["c@example.com"]},)"
                   R"("Content":{"Raw":{"Data":"U3ViamVjdDogeA0KDQp4"}}})") ==
        R"({"raw_base64":"U3ViamVjdDogeA0KDQp4","envelope":{"from":"m@example.com",)"
        R"("to":["a@example.com","c@example.com"]}})");
}

TEST_CASE("SES: SendBulkEmail with a template in the body", "[dialect]") {
  // The documentation's example of replacement data.
  CHECK(translated(
            Dialect::ses,
            R"({"FromEmailAddress":"m@example.com","DefaultContent":{"Template":{)"
            R"("TemplateContent":{"Subject":"Greetings, {{name}}!","Text":"Dear {{name}}, )"
            R"({{favoriteanimal}}","Html":"<h1>{{{name}}}</h1>"},"TemplateData":)"
            R"("{\"name\":\"friend\",\"favoriteanimal\":\"unknown\"}"}},"BulkEmailEntries":[)"
            R"({"Destination":{"ToAddresses":["anaya@example.com"]},"ReplacementEmailContent":{)"
            R"("ReplacementTemplate":{"ReplacementTemplateData":"{\"name\":\"Anaya\"}"}}},)"
            R"({"Destination":{"ToAddresses":["liu@example.com"]},"ReplacementTags":)"
            R"([{"Name":"n","Value":"v"}],"ReplacementHeaders":[{"Name":"X-A",)"
            R"("Value":"{{b}}"}]}]})") ==
        R"({"from":{"email":"m@example.com"},"subject":"Greetings, {{name}}!",)"
        R"("text":"Dear {{name}}, {{favoriteanimal}}","html":"<h1>{{&name}}</h1>","recipients":[)"
        R"({"email":"anaya@example.com","merge":{"name":"Anaya"}},)"
        R"({"email":"liu@example.com","metadata":{"n":"v"},"headers":{"X-A":"{{b}}"}}],)"
        R"("merge":{"name":"friend","favoriteanimal":"unknown"}})");
}

TEST_CASE("What these services have and SMTP submission has not is named", "[dialect]") {
  for (const ServiceRefusal& row : std::initializer_list<ServiceRefusal>{
           {Dialect::mailgun, R"({"template":"t"})", "unsupported_field template: cannot be had"},
           {Dialect::mailgun, R"({"o:testmode":"yes"})", "unsupported_field o:testmode: cannot"},
           {Dialect::mailgun, R"({"o:deliverytime":"Fri, 25 Oct 2030 10:00:00 +0000"})",
            "unsupported_field o:deliverytime: cannot be had"},
           {Dialect::mailgun, R"({"o:require-tls":true})", "unsupported_field o:require-tls"},
           {Dialect::mailgun, R"({"amp-html":"x"})", "unsupported_field amp-html"},
           {Dialect::mailgun, R"({"o:tagg":"x"})", "unknown_field o:tagg: unknown field; did you"},
           {Dialect::mailgun, R"({"recipient-variables":"{"})", "truncated recipient-variables"},
           {Dialect::mailgun, R"({"recipient-variables":[]})", "wrong_type recipient-variables"},
           {Dialect::mailgun,
            R"({"from":"a@example.com","to":"a@example.com","subject":"s",)"
            R"("text":"%unsubscribe_url%",)"
            R"("recipient-variables":{}})",
            "unsupported_field %unsubscribe_url%: cannot be had"},
           {Dialect::mailgun,
            R"({"from":"a@example.com","to":"a@example.com","cc":"c@example.com","subject":"s",)"
            R"("text":"t","recipient-variables":{}})",
            "conflicting_fields cc: may not stand beside"},
           {Dialect::mailgun,
            R"({"from":"a@example.com","to":"a@example.com","subject":"s",)"
            R"("text":"%recipient.a%","recipient-variables":{"a@example.com":{"a":[1]}}})",
            "wrong_type recipient-variables.a@example.com.a: must be a string, and is a list"},
           {Dialect::mailgun, R"({"attachment":{"filename":"a"}})",
            "missing_field attachment.data: is missing"},
           {Dialect::mailgun, R"({"attachment":{"data":{"type":"Buffer","data":[256]}}})",
            "invalid_value attachment.data.data: has something that is no octet"},
           {Dialect::postmark, R"({"TemplateId":7})", "unsupported_field TemplateId: cannot"},
           {Dialect::postmark, R"({"TemplateAlias":"a"})", "unsupported_field TemplateAlias"},
           {Dialect::postmark, "[]", "no_recipients the list is empty"},
           {Dialect::postmark, "[7]", "wrong_type [0]: must be an object"},
           {Dialect::postmark, R"({"To":"a@example.com","Messages":[]})",
            "conflicting_fields To: may not stand beside \"Messages\""},
           {Dialect::postmark,
            R"({"From":"a@example.com","Subject":"s","TextBody":"{{#each}}","Messages":)"
            R"([{"To":"a@example.com"}]})",
            "unsupported_field TextBody: cannot be had: {{#each}} is not closed"},
           {Dialect::postmark,
            R"({"From":"a@example.com","Subject":"s","TextBody":"{{a b}}","Messages":)"
            R"([{"To":"a@example.com"}]})",
            "unsupported_field TextBody: cannot be had: {{a b}}: only names"},
           {Dialect::postmark,
            R"({"From":"a@example.com","Subject":"s","TextBody":"t","Messages":[{}]})",
            "no_recipients To: is missing"},
           {Dialect::ses, R"({"Content":{"Template":{"TemplateName":"T"}}})",
            "unsupported_field Content.Template.TemplateName: cannot be had"},
           {Dialect::ses, R"({"ListManagementOptions":{"ContactListName":"c"}})",
            "unsupported_field ListManagementOptions: cannot be had"},
           {Dialect::ses, R"({"Content":{"Template":{"TemplateContent":{"Text":"{{#if a}}"}}}})",
            "unsupported_field Content.Template.TemplateContent.Text: cannot be had: {{#if a}}"},
           {Dialect::ses, R"({"Content":{"Template":{"TemplateData":"[]"}}})",
            "wrong_type Content.Template.TemplateData: must be an object in a string"},
           {Dialect::ses, R"({"Content":{"Raw":{"Data":"?"}}})",
            "invalid_base64 Content.Raw.Data: is not base64"},
           {Dialect::ses, R"({"Content":{"Simple":{"Subject":{"Dat":"x"}}}})",
            "unknown_field Content.Simple.Subject.Dat: unknown field; did you mean \"Data\"?"},
           {Dialect::ses, R"({"EmailTags":[{"Name":"n"}],"Destination":{"ToAddresses":["x"]}})",
            "invalid_address Destination.ToAddresses[0]: the '@' is missing"}}) {
    CAPTURE(row.body);
    const std::string verdict = translated(row.dialect, row.body);
    CAPTURE(verdict);
    CHECK(verdict.starts_with(row.verdict));
  }
}
