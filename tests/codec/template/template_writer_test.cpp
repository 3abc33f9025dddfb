// Templates and values against the plain way of writing the same message, at every seam there is.
#include "codec/template/template_writer.h"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/mail/body_scan.h"
#include "codec/template/message_template.h"
#include "tests/support/read_message.h"
#include "tests/support/template_oracle.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

using Kind = MergeData::Kind;

const Mailbox ann{"Ann", "ann@example.net", false};

TemplateDefinition newsletter() {
  TemplateDefinition definition;
  definition.from = "News <news@example.com>";
  definition.subject = "Issue {{issue}}";
  definition.html = "<p>Hello {{name}}</p>\n";
  return definition;
}

MergeData values_of(std::initializer_list<std::pair<Bytes, Bytes>> pairs) {
  MergeData values;
  for (const auto& [key, value] : pairs) {
    values.add(MergeData::root, key, Kind::string, value);
  }
  return values;
}

MessageTemplatePtr compiled(const TemplateDefinition& definition,
                            const TemplateOptions& options = {}) {
  auto source = MessageTemplate::compile(definition, options, {1, 2});
  if (!source) {
    FAIL(source.error().message());
  }
  return *source;
}

Result<void, JobError> write(const MessageTemplate& source, const TemplateRecipient& recipient,
                             Message& message) {
  TemplateWriter writer;
  message.clear();
  message.id = "row-1";
  return writer.write(source, recipient, message);
}

TemplateRecipient recipient_of(const MergeData& values) {
  TemplateRecipient recipient;
  recipient.mailbox = &ann;
  recipient.merge = &values;
  return recipient;
}

std::string written(const TemplateDefinition& definition, const MergeData& values,
                    const TemplateOptions& options = {}) {
  Message message;
  const auto done = write(*compiled(definition, options), recipient_of(values), message);
  if (!done) {
    FAIL(done.error().message());
  }
  return message.content.text();
}

JobError error_of(const TemplateDefinition& definition, const MergeData& values,
                  const TemplateOptions& options = {}) {
  Message message;
  const auto done = write(*compiled(definition, options), recipient_of(values), message);
  REQUIRE_FALSE(done);
  CHECK(message.recipients.size() == 1);
  CHECK(message.content.empty());
  return done.error();
}

bool has_line(Bytes message, Bytes line) {
  return message.starts_with(std::string(line) + "\r\n") ||
         message.find("\r\n" + std::string(line) + "\r\n") != Bytes::npos;
}

void check_against_oracle(const TemplateDefinition& definition, const MergeData& values) {
  const std::string spliced = written(definition, values);
  const MergeData built_in = values_of({{"email", ann.address}, {"name", ann.name}});
  const MergeData* const layers[] = {&values, &built_in};
  TemplateRecipient recipient;
  recipient.mailbox = &ann;
  recipient.shared = layers;
  const auto composed = test::rendered_then_composed(definition, {}, recipient, {1, 2});
  REQUIRE(composed);
  const test::ReadMessage one = test::read_message(spliced);
  const test::ReadMessage other = test::read_message(*composed);
  CHECK(one.fields == other.fields);
  CHECK(one.parts == other.parts);
}

}  // namespace

TEST_CASE("template_writer: fields and text of a newsletter") {
  const std::string message = written(newsletter(), values_of({{"issue", "47"}}));
  CHECK(has_line(message, "From: News <news@example.com>"));
  CHECK(has_line(message, "To: Ann <ann@example.net>"));
  CHECK(has_line(message, "Subject: Issue 47"));
  CHECK(has_line(message, "Date: Thu, 01 Jan 1970 00:00:00 +0000"));
  CHECK(has_line(message, "<p>Hello=20Ann</p>"));
  CHECK(message.ends_with("</p>\r\n"));
  CHECK(test::read_message(message).parts ==
        std::vector<test::ReadPart>{{"text/html", "<p>Hello Ann</p>"}});
}

TEST_CASE("template_writer: each recipient has a Message-ID, and the same one each time") {
  TemplateRecipient recipient;
  recipient.mailbox = &ann;
  const MergeData values = values_of({{"issue", "47"}});
  recipient.merge = &values;
  const auto id_for = [&](std::uint64_t row) {
    recipient.identity = {row, 0};
    Message message;
    REQUIRE(write(*compiled(newsletter()), recipient, message));
    const std::string text = message.content.text();
    const std::size_t begin = text.find("Message-ID: <");
    return text.substr(begin, text.find("\r\n", begin) - begin) + message.idempotency_key;
  };
  CHECK(id_for(1) == id_for(1));
  CHECK(id_for(1) != id_for(2));
}

TEST_CASE("template_writer: values end as data, whatever they are") {
  TemplateDefinition definition = newsletter();
  definition.subject = "For {{v}}";
  definition.text = "{{v}}\n";
  definition.html = "<a title=\"{{v}}\">{{v}}</a>\n{{v}}";
  definition.headers.push_back({"X-Value", "is {{v}}"});
  definition.headers.push_back({"X-Last", "1"});
  const std::vector<std::string> hostile = {"\r\n.\r\nMAIL FROM:<a@b>",
                                            "\r\nBcc: eve@example.org\r\n\r\nbody",
                                            "{{issue}}",
                                            "<script>",
                                            ".",
                                            "\n",
                                            "\r",
                                            "=\r\n",
                                            "--=_",
                                            "\"><b>",
                                            "=?utf-8?q?x?=",
                                            std::string(3000, 'x'),
                                            std::string(500, '='),
                                            "\xe2\x80\xa8",
                                            "ends with a blank ",
                                            "\t",
                                            "{{{v}}}",
                                            "%0d%0a"};
  for (const std::string& value : hostile) {
    CAPTURE(value);
    const MergeData values = values_of({{"v", value}});
    if (value.size() == 3000) {
      // A word that fits on no line of a field (RFC 5322 2.1.1).
      CHECK(error_of(definition, values).field == "subject");
      continue;
    }
    const test::ReadMessage message = test::read_message(written(definition, values));
    CHECK(message.fields.find("\r\nBcc") == std::string::npos);
    CHECK(message.fields.find("\r\nX-Last: 1\r\n") != std::string::npos);
    REQUIRE(message.parts.size() == 2);
    CHECK(message.parts[1].text.find("<script>") == std::string::npos);
    CHECK(message.parts[1].text.find("\"><b>") == std::string::npos);
  }
}

TEST_CASE("template_writer: a NUL in a value is refused, and named") {
  TemplateDefinition definition = newsletter();
  const JobError error =
      error_of(definition, values_of({{"issue", "1"}, {"name", Bytes("a\0b", 3)}}));
  CHECK(error.field == "html");
  CHECK(error.reason.find("NUL") != std::string::npos);
}

TEST_CASE("template_writer: a value that is missing is an error unless it may be") {
  const JobError error = error_of(newsletter(), {});
  CHECK(error.kind == JobErrorKind::missing_field);
  CHECK(error.field == "subject");
  CHECK(error.reason.find("issue") != std::string::npos);
  CHECK(has_line(written(newsletter(), {}, {.missing = MissingPolicy::empty}),
                 "Subject: =?UTF-8?Q?Issue_?="));
  TemplateDefinition definition = newsletter();
  definition.merge = values_of({{"issue", "shared"}});
  CHECK(has_line(written(definition, {}), "Subject: Issue shared"));
  CHECK(has_line(written(definition, values_of({{"issue", "own"}})), "Subject: Issue own"));
}

TEST_CASE("template_writer: at every seam the text is what a render of the whole would be") {
  static const std::vector<std::string> texts = {"",
                                                 ".",
                                                 "\n",
                                                 "\r\n",
                                                 " ",
                                                 "\t ",
                                                 "=",
                                                 "word ",
                                                 "a\n.b",
                                                 "Z",
                                                 "..",
                                                 "\n\n.",
                                                 "é",
                                                 "日本語",
                                                 "𝔘",
                                                 "مرحبا",
                                                 "a b c d e f",
                                                 "<&\">",
                                                 "x",
                                                 "--=_",
                                                 "=20",
                                                 "key=",
                                                 "שלום עולם",
                                                 "привет",
                                                 std::string(75, 'x'),
                                                 std::string(74, 'y') + " ",
                                                 std::string(200, 'z'),
                                                 std::string(300, '.') + "\n."};
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    TemplateDefinition definition = newsletter();
    definition.subject.reset();
    std::string source;
    MergeData values;
    for (int piece = 0; piece < 8; ++piece) {
      const std::string& text = texts[random() % texts.size()];
      if (random() % 2 == 0) {
        source += text.find('\r') == std::string::npos ? text : "\n";
        continue;
      }
      const std::string key = "v" + std::to_string(piece);
      source += (random() % 2 == 0 ? "{{" : "{{&") + key + "}}";
      values.add(MergeData::root, key, Kind::string, text);
    }
    source += "{{^never}}!{{/never}}";  // never all fixed, never empty
    definition.html = source;
    if (random() % 2 == 0) {
      definition.text = source;
    }
    CAPTURE(source);
    check_against_oracle(definition, values);
  }
}

TEST_CASE("template_writer: what stands in no text, and tabs in a field") {
  TemplateDefinition definition = newsletter();
  definition.subject = "a\tb";
  definition.html = "\xef\xbb\xbf<p>{{v}}\n</p>";
  definition.text = "\xef\xbb\xbfplain";
  const MergeData values = values_of({{"v", "a\tb\r"}});
  check_against_oracle(definition, values);
  definition.subject = "a\tb {{v}}";
  check_against_oracle(definition, values);
  CHECK(test::read_message(written(definition, values)).parts ==
        std::vector<test::ReadPart>{{"text/plain", "plain"}, {"text/html", "<p>a\tb\r\n\r\n</p>"}});
}

TEST_CASE("template_writer: long literals are shared, and stuffed where a line begins with a dot") {
  TemplateDefinition definition = newsletter();
  std::string html = "<table>\n";
  for (int row = 0; row < 100; ++row) {
    html += "<tr><td class=\"cell\">row</td></tr>\n";
  }
  definition.html = html + "{{name}}\n" + html;
  Message message;
  const MergeData values = values_of({{"issue", "1"}, {"name", "."}});
  const MessageTemplatePtr source = compiled(definition);
  REQUIRE(write(*source, recipient_of(values), message));
  REQUIRE(message.content.shared() != nullptr);
  CHECK(message.content.shared()->count() == 2);
  CHECK(message.content.piece_count() == 4);
  CHECK(message.content.own_bytes() < 2000);
  CHECK_FALSE(message.content.traits().needs_stuffing());
  check_against_oracle(definition, values);
}

TEST_CASE("template_writer: attachments are written once for all") {
  TemplateDefinition definition = newsletter();
  definition.attachments.push_back({"a.bin", "", "", std::string(1'000'000, '\x01')});
  definition.attachments.push_back({"logo.png", "image/png", "logo", "PNG"});
  Message message;
  const MergeData values = values_of({{"issue", "1"}});
  REQUIRE(write(*compiled(definition), recipient_of(values), message));
  CHECK(message.content.bytes() > 1'333'000);
  CHECK(message.content.own_bytes() < 4000);
  const test::ReadMessage read = test::read_message(message.content.text());
  REQUIRE(read.parts.size() == 3);
  CHECK(read.parts[0] == test::ReadPart{"text/html", "<p>Hello Ann</p>"});
  CHECK(read.parts[1].text == "PNG");
  CHECK(read.parts[2].text == std::string(1'000'000, '\x01'));
}

TEST_CASE("template_writer: the way out of a list (RFC 8058) cannot be broken by a value") {
  TemplateDefinition definition = newsletter();
  definition.unsubscribe = "https://example.com/u/{{id}}?{{{query}}}";
  definition.list_id = "The news <news.example.com>";
  const std::string message = written(
      definition, values_of({{"issue", "1"}, {"id", "a/b>, <x"}, {"query", "c=1&d= >\r\nX: y"}}));
  CHECK(has_line(message,
                 "List-Unsubscribe: <https://example.com/u/"
                 "a%2Fb%3E%2C%20%3Cx?c=1&d=%20%3E%0D%0AX:%20y>"));
  CHECK(has_line(message, "List-Unsubscribe-Post: List-Unsubscribe=One-Click"));
  CHECK(has_line(message, "List-ID: The news <news.example.com>"));
  definition.unsubscribe = "mailto:leave@example.com?subject={{id}}";
  definition.list_id = "news.example.com";
  const std::string other = written(definition, values_of({{"issue", "1"}, {"id", "7"}}));
  CHECK(has_line(other, "List-Unsubscribe: <mailto:leave@example.com?subject=7>"));
  CHECK(other.find("One-Click") == std::string::npos);
  CHECK(has_line(other, "List-ID: <news.example.com>"));
}

TEST_CASE("template_writer: the envelope's sender can say whose message it was") {
  TemplateDefinition definition = newsletter();
  const MergeData values = values_of({{"issue", "1"}, {"id", "7"}});
  Message message;
  REQUIRE(write(*compiled(definition), recipient_of(values), message));
  CHECK(message.sender == "news@example.com");
  REQUIRE(write(*compiled(definition, {.verp = true}), recipient_of(values), message));
  CHECK(message.sender == "news+ann=example.net@example.com");
  definition.envelope_sender = "bounce+{{id}}@example.com";
  REQUIRE(write(*compiled(definition), recipient_of(values), message));
  CHECK(message.sender == "bounce+7@example.com");
  definition.envelope_sender = "";
  REQUIRE(write(*compiled(definition), recipient_of(values), message));
  CHECK(message.sender.empty());
  definition.envelope_sender = "bounce+{{bad}}@example.com";
  const JobError error =
      error_of(definition, values_of({{"issue", "1"}, {"bad", "a@b, c> SIZE=1"}}));
  CHECK(error.field == "envelope.from");
}

TEST_CASE("template_writer: a name or address in From that a recipient has") {
  TemplateDefinition definition = newsletter();
  definition.from = "{{agent}} at Example <{{local}}@example.com>";
  const MergeData values =
      values_of({{"issue", "1"}, {"agent", "Eve <eve@example.org>, \"x\""}, {"local", "sales"}});
  Message message;
  REQUIRE(write(*compiled(definition), recipient_of(values), message));
  CHECK(message.sender == "sales@example.com");
  const std::string text = message.content.text();
  CHECK(text.starts_with(R"(From: "Eve <eve@example.org>, \"x\" at Example")"));
  CHECK(text.find("<sales@example.com>\r\n") != std::string::npos);
}

TEST_CASE("template_writer: quotes around a name are none of the name, and keep nothing in it") {
  const MergeData values = values_of({{"issue", "1"}, {"shop", "\"X\""}});
  TemplateDefinition definition = newsletter();
  for (const auto& [from, line] : {
           std::pair{R"("The \"Best\" {{shop}} \\" <news@example.com>)",
                     R"(From: "The \"Best\" \"X\" \\" <news@example.com>)"},
           {R"("{{gone|default:"No, one"}}" <news@example.com>)",
            R"(From: "No, one" <news@example.com>)"},
           {R"("{{gone|default:\"No, one\"}}" <news@example.com>)",
            R"(From: "No, one" <news@example.com>)"},
           {R"(  Ann of {{shop}}  <news@example.com> )",
            R"(From: "Ann of \"X\"" <news@example.com>)"},
           {R"("" <{{gone|default:"a"}}@example.com>)", "From: a@example.com"},
       }) {
    definition.from = from;
    CHECK(has_line(written(definition, values), line));
  }
}

TEST_CASE("template_writer: a recipient's own fields stand in place of the template's") {
  TemplateDefinition definition = newsletter();
  definition.headers.push_back({"X-Kind", "all"});
  const std::vector<HeaderField> headers = {{"subject", "For you"}, {"X-Kind", "one"}};
  const MergeData values = values_of({{"issue", "1"}});
  TemplateRecipient recipient = recipient_of(values);
  recipient.headers = headers;
  Message message;
  REQUIRE(write(*compiled(definition), recipient, message));
  const std::string text = message.content.text();
  CHECK(text.find("Issue") == std::string::npos);
  CHECK(has_line(text, "subject: For you"));
  CHECK(has_line(text, "X-Kind: one"));
  CHECK_FALSE(has_line(text, "X-Kind: all"));
  const std::vector<HeaderField> owned = {{"Content-Type", "text/x"}};
  recipient.headers = owned;
  const auto refused = write(*compiled(definition), recipient, message);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().field == "headers.Content-Type");
}

TEST_CASE("template_writer: who stands in To and Cc") {
  const MergeData values = values_of({{"issue", "1"}});
  TemplateRecipient recipient = recipient_of(values);
  const std::vector<Mailbox> to = {{"", "a@example.net", false}, {"", "b@example.net", false}};
  Message message;
  recipient.to = to;
  recipient.cc = {&ann, 1};
  REQUIRE(write(*compiled(newsletter()), recipient, message));
  CHECK(has_line(message.content.text(), "To: a@example.net, b@example.net"));
  CHECK(has_line(message.content.text(), "Cc: Ann <ann@example.net>"));
  recipient = recipient_of(values);
  recipient.is_hidden = true;
  REQUIRE(write(*compiled(newsletter()), recipient, message));
  CHECK(has_line(message.content.text(), "To: undisclosed-recipients:;"));
}

TEST_CASE("message_template: what is wrong with a definition is said where it stands") {
  const auto wrong = [](auto change) {
    TemplateDefinition definition = newsletter();
    change(definition);
    const auto source = MessageTemplate::compile(definition, {}, {1, 2});
    REQUIRE_FALSE(source);
    return source.error().message();
  };
  const auto begins = [](const std::string& text, Bytes with) {
    CAPTURE(text);
    CHECK(text.starts_with(with));
  };
  begins(wrong([](auto& d) { d.from.reset(); }), "from: is missing");
  begins(wrong([](auto& d) { d.html.reset(); }), "has no content");
  begins(wrong([](auto& d) { d.html = "a\r{{x}}\nb"; }), "html: ");
  begins(wrong([](auto& d) { d.html = "{{#a}}"; }), "html: ");
  begins(wrong([](auto& d) { d.subject = "a\nb"; }), "subject: ");
  begins(wrong([](auto& d) { d.from = "nobody"; }), "from: ");
  begins(wrong([](auto& d) { d.envelope_sender = "nobody"; }), "envelope.from: ");
  begins(wrong([](auto& d) { d.unsubscribe = "{{scheme}}://example.com"; }), "unsubscribe: ");
  begins(wrong([](auto& d) { d.headers.push_back({"Bcc", "x"}); }), "headers.Bcc: ");
  begins(wrong([](auto& d) { d.headers.push_back({"Subject", "x"}); }), "headers.Subject: ");
  begins(wrong([](auto& d) {
           d.attachments.push_back({"a", "text", "", ""});
         }),
         "attachments[0].content_type: ");
}

}  // namespace ringpost::codec
