#include <catch2/catch_test_macros.hpp>

#include "tests/codec/dialect/dialect_support.h"

using namespace ringpost;
using codec::Dialect;

namespace {

std::string sendgrid(Bytes body, std::string* refused = nullptr) {
  return test::translated(Dialect::sendgrid, body, refused);
}

// A body with further members in front.
std::string sendgrid_with(const std::string& members) {
  return sendgrid("{" + members +
                  R"(,"personalizations":[{"to":[{"email":"a@example.com"}]}],)"
                  R"("from":{"email":"s@example.com"},"subject":"x",)"
                  R"("content":[{"type":"text/plain","value":"v"}]})");
}

constexpr Bytes plain_job =
    R"({"from":{"email":"s@example.com"},"to":[{"email":"a@example.com"}],"subject":"x",)"
    R"("text":"v"})";

}  // namespace

TEST_CASE("SendGrid: one personalization is one message", "[dialect]") {
  CHECK(
      sendgrid(R"({"personalizations":[{"to":[{"email":"john@example.com","name":"John"}],)"
               R"("cc":[{"email":"c@example.com"}],"bcc":[{"email":"d@example.com"}],)"
               R"("headers":{"X-A":"own"},"custom_args":{"n":"2"}}],)"
               R"("from":{"email":"s@example.com","name":"Sender"},)"
               R"("reply_to":{"email":"r@example.com"},"subject":"Hi",)"
               R"("headers":{"x-a":"all","X-B":"b"},"categories":["news"],)"
               R"("custom_args":{"m":"1","n":"1"},"content":[{"type":"text/html","value":"<p>"},)"
               R"({"type":"text/plain","value":"{{t}}"}],"attachments":[{"content":"aGk=",)"
               R"("type":"image/png","filename":"a.png","disposition":"inline",)"
               R"("content_id":"<logo>"}],"batch_id":"q","ip_pool_name":"p","template_id":""})") ==
      R"({"from":{"email":"s@example.com","name":"Sender"},)"
      R"("reply_to":[{"email":"r@example.com"}],)"
      R"("to":[{"email":"john@example.com","name":"John"}],"cc":[{"email":"c@example.com"}],)"
      R"("bcc":[{"email":"d@example.com"}],"subject":"Hi","text":"{{t}}","html":"<p>",)"
      R"("headers":{"X-B":"b","X-A":"own"},"attachments":[{"filename":"a.png",)"
      R"("content_type":"image/png","cid":"logo","content":"aGk="}],"tags":["news"],)"
      R"("metadata":{"m":"1","n":"2"}})");
}

TEST_CASE("SendGrid: substitutions of one personalization are put in place, raw", "[dialect]") {
  CHECK(sendgrid(R"({"personalizations":[{"to":[{"email":"a@example.com"}],)"
                 R"("substitutions":{"-n-":"<{{J}}>","-n-x":"longest","-m-":"-n-"}}],)"
                 R"("from":{"email":"s@example.com"},"subject":"Hi -n-",)"
                 R"("content":[{"type":"text/plain","value":"-n-x -m- -q- -n"}]})") ==
        R"({"from":{"email":"s@example.com"},"to":[{"email":"a@example.com"}],)"
        R"("subject":"Hi <{{J}}>","text":"longest -n- -q- -n"})");
}

TEST_CASE("SendGrid: several personalizations are recipients", "[dialect]") {
  // The documentation's example of substitution tags, with a text that has braces.
  CHECK(sendgrid(R"({"personalizations":[{"to":[{"email":"john@example.com","name":"John"}],)"
                 R"("subject":"Example 01","substitutions":{"-name-":"John <b>"}},)"
                 R"({"to":[{"email":"jane@example.com"}],"substitutions":{"-name-":"Jane",)"
                 R"("-nick-":"J","-unused-":"u"}}],"from":{"email":"s@example.com"},)"
                 R"("subject":"Hi -name-","content":[{"type":"text/plain",)"
                 R"("value":"Hello -name-, {{literal}} {-nick-}"}]})") ==
        R"({"from":{"email":"s@example.com"},"subject":"{{&__subject}}",)"
        R"("text":"Hello {{&__tag0}}, {{&__brace}}{{&__brace}}literal}} {{&__brace}}{{&__tag1}}}",)"
        R"("recipients":[{"email":"john@example.com","name":"John","merge":{)"
        R"("__subject":"Example 01","__tag0":"John <b>","__tag1":"-nick-"}},)"
        R"({"email":"jane@example.com","merge":{"__subject":"Hi Jane","__tag0":"Jane",)"
        R"("__tag1":"J"}}],"merge":{"__brace":"{"}})");
}

TEST_CASE("SendGrid: who shares a message with others is named with them", "[dialect]") {
  CHECK(
      sendgrid(R"({"personalizations":[{"to":[{"email":"a@example.com"},{"email":"k@example.com",)"
               "\"name\":\"K\u00e4the\"}],"
               R"("cc":[{"email":"c@example.com"}],"bcc":[{"email":"d@example.com"}]},)"
               R"({"to":[{"email":"x@example.com"}],"from":{"email":"o@example.com"}}],)"
               R"("from":{"email":"s@example.com"},"subject":"s",)"
               R"("content":[{"type":"text/plain","value":"v"}]})") ==
      R"({"from":{"email":"s@example.com"},"subject":"s","text":"v","recipients":[)"
      R"({"email":"a@example.com","headers":{"To":"a@example.com, =?UTF-8?Q?K=C3=A4the?= )"
      R"(<k@example.com>","Cc":"c@example.com"}},)"
      "{\"email\":\"k@example.com\",\"name\":\"K\u00e4the\","
      R"("headers":{"To":"a@example.com, =?UTF-8?Q?K=C3=A4the?= )"
      R"(<k@example.com>","Cc":"c@example.com"}},)"
      R"({"email":"c@example.com","headers":{"To":"a@example.com, =?UTF-8?Q?K=C3=A4the?= )"
      R"(<k@example.com>","Cc":"c@example.com"}},)"
      R"({"email":"d@example.com","headers":{"To":"a@example.com, =?UTF-8?Q?K=C3=A4the?= )"
      R"(<k@example.com>","Cc":"c@example.com"}},)"
      R"({"email":"x@example.com","headers":{"From":"o@example.com"}}],"merge":{}})");
}

TEST_CASE("SendGrid: what changes nothing of what is sent is passed over", "[dialect]") {
  for (const char* const members :
       {R"("send_at":1700000000)", R"("batch_id":"b")", R"("asm":null)", R"("template_id":null)",
        R"("mail_settings":{"sandbox_mode":{"enable":false},"footer":{"enable":false}})",
        R"("tracking_settings":{"click_tracking":{"enable":true},"open_tracking":{"enable":true}})",
        R"("tracking_settings":{"subscription_tracking":{"enable":false}})"}) {
    CHECK(sendgrid_with(members) == plain_job);
  }
}

TEST_CASE("SendGrid: what cannot be had is named", "[dialect]") {
  struct Row {
    const char* members;
    const char* verdict;
  };
  for (const Row& row : std::initializer_list<Row>{
           {R"("template_id":"d-1")", "unsupported_field template_id: cannot be had"},
           {R"("asm":{"group_id":1})", "unsupported_field asm: cannot be had"},
           {R"("send_at":1900000000)", "unsupported_field send_at: cannot be had"},
           {R"("send_at":1.5)", "unsupported_field send_at: cannot be had"},
           {R"("send_at":"soon")", "wrong_type send_at: must be a whole number, and is a string"},
           {R"("sections":{"a":"b"})", "unsupported_field sections: cannot be had"},
           {R"("mail_settings":{"sandbox_mode":{"enable":true}})",
            "unsupported_field mail_settings.sandbox_mode: cannot be had"},
           {R"("tracking_settings":{"subscription_tracking":{"enable":true}})",
            "unsupported_field tracking_settings.subscription_tracking: cannot be had"},
           {R"("subjct":"x")", "unknown_field subjct: unknown field; did you mean \"subject\"?"},
           {R"("categories":[1])", "wrong_type categories[0]: must be a string, and is a number"},
           {R"("attachments":[{"content":"?","filename":"a"}])",
            "invalid_base64 attachments[0].content: is not base64 at character 0"},
           {R"("reply_to":{"name":"n"})", "missing_field reply_to.email: is missing"}}) {
    CHECK(sendgrid_with(row.members).starts_with(row.verdict));
  }
}

TEST_CASE("SendGrid: a refused body names all of its recipients", "[dialect]") {
  std::string left;
  CHECK(sendgrid(R"({"personalizations":[{"to":[{"email":"a@example.com"}],)"
                 R"("dynamic_template_data":{"a":1}},{"to":[{"email":"nobody"}],)"
                 R"("bcc":[{"email":"b@example.com"}]}],"from":{"email":"s@example.com"}})",
                 &left)
            .starts_with("unsupported_field personalizations[0].dynamic_template_data: cannot"));
  CHECK(left.find(R"("to":[{"email":"a@example.com"},{"email":"nobody"},)"
                  R"({"email":"b@example.com"}]})") != std::string::npos);
  CHECK(sendgrid(R"({"personalizations":[{"to":[{"email":"a@example.com"}]},)"
                 R"({"to":[{"email":"a@example.com"},{"email":"nobody"}]}]})") ==
        "invalid_address personalizations[1].to[1].email: the '@' is missing");
}

TEST_CASE("SendGrid: what is missing is named", "[dialect]") {
  CHECK(
      sendgrid(R"({"personalizations":[{}]})").starts_with("no_recipients personalizations[0].to"));
  CHECK(sendgrid("{}").starts_with("missing_field from: is missing"));
  CHECK(sendgrid(R"({"from":{"email":"a@example.com"}})").starts_with("no_recipients person"));
  CHECK(sendgrid(R"({"from":{"email":"a@example.com"},)"
                 R"("personalizations":[{"to":[{"email":"a@example.com"}]}]})") ==
        "missing_field content: is missing: there is no content");
}

TEST_CASE("No line is taken for a body that is none", "[dialect]") {
  CHECK(sendgrid("").starts_with("empty_line"));
  CHECK(sendgrid("[1]").starts_with("not_an_object the line is no body of SendGrid"));
  CHECK(sendgrid("7").starts_with("not_an_object"));
  CHECK(sendgrid("{\"a\":{\"b\":1}").starts_with("truncated the line ends too early"));
  CHECK(sendgrid("{} {}").starts_with("trailing_content"));
  CHECK(sendgrid("{\"subject\":\"a\",\"subject\":\"b\"}") ==
        "duplicate_field subject: is given twice");
  CHECK(sendgrid("{\"custom_args\":{\"a\":1,\"b\":2,\"a\":3}}") ==
        "duplicate_field a: is given twice");
  CHECK(sendgrid("{\"a\":\"\xff\"}").starts_with("invalid_utf8"));
  CHECK(sendgrid("{\"a\":\"\\u0000\"}").starts_with("invalid_string"));
  CHECK(sendgrid(std::string(40, '[') + std::string(40, ']')).starts_with("too_deep"));
  CHECK(sendgrid("{\"personalizations\":" + std::string(31, '[') + std::string(31, ']') + "}")
            .starts_with("wrong_type personalizations[0]: must be an object, and is a list"));
}

TEST_CASE("SendGrid: a thousand personalizations with big texts", "[dialect]") {
  std::string body = R"({"from":{"email":"s@example.com"},"subject":"s","personalizations":[)";
  for (int i = 0; i < 1000; ++i) {
    body += i == 0 ? "" : ",";
    body += R"({"to":[{"email":"a)" + std::to_string(i) +
            R"(@example.com"}],"substitutions":{"-n-":")" + std::to_string(i) + "\"}}";
  }
  body += R"(],"content":[{"type":"text/plain","value":")" + std::string(1'000'000, 'x') +
          R"( -n-"}]})";
  const std::string job = sendgrid(body);
  CHECK(job.find(R"({"email":"a999@example.com","merge":{"__tag0":"999"}}],"merge":{}})") !=
        std::string::npos);
}
