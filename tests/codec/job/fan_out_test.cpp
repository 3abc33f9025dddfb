// Goal: one line becomes a message for each of its recipients, and what is wrong with one of them
// is wrong with nobody else. Method: lines in memory of their own, padded by what the reader may
// touch; templates of other lines are lent by a table.
#include <map>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/job/job_reader.h"
#include "codec/template/merge_json.h"
#include "tests/codec/job/job_reader_support.h"
#include <ringpost/limits.h>

namespace ringpost {

namespace {

using codec::JobReader;
using codec::JobReaderOptions;
using test::Reading;

// Templates by their names, wherever they were defined.
class TemplateTable : public codec::TemplateSource {
 public:
  void define(const std::string& line) {
    std::string padded = line + std::string(JobReader::padding_bytes, '\x7f');
    JobReader reader({});
    codec::DefinitionNote note;
    auto made = reader.read_definition(Bytes(padded).substr(0, line.size()), {"t", 1, 0}, note);
    INFO((made ? std::string() : made.error().message()));
    REQUIRE(made);
    templates[note.name] = *made;
  }
  Result<codec::MessageTemplatePtr, codec::JobError> find(
      Bytes name, [[maybe_unused]] const codec::Source& where) override {
    const auto found = templates.find(std::string(name));
    if (found == templates.end()) {
      return Failure(codec::JobError{codec::JobErrorKind::invalid_value, "template", "is unknown"});
    }
    return found->second;
  }

  std::map<std::string, codec::MessageTemplatePtr> templates;
};

// All messages of a line.
std::vector<Reading> read_all(const std::string& line, const JobReaderOptions& options = {}) {
  std::string padded = line + std::string(JobReader::padding_bytes, '\x7f');
  padded.shrink_to_fit();
  JobReader reader(options);
  const codec::Source where{"jobs.jsonl", 2, 1'795'209'743'000'000};
  std::vector<Reading> readings(1);
  auto made = reader.parse(Bytes(padded).substr(0, line.size()), where, readings[0].job);
  while (true) {
    if (!made) {
      readings.back().error = std::move(made.error());
    }
    if (!reader.has_more()) {
      return readings;
    }
    readings.emplace_back();
    made = reader.next(readings.back().job);
  }
}

std::vector<std::string> verdicts(const std::vector<Reading>& readings) {
  std::vector<std::string> found;
  for (const Reading& reading : readings) {
    found.push_back(reading.recipients() + ": " + reading.verdict());
  }
  return found;
}

std::string reason_of(const std::vector<Reading>& readings, std::size_t index = 0) {
  REQUIRE(index < readings.size());
  REQUIRE(readings[index].error);
  return readings[index].error->message();
}

// With quoted-printable decoded, which is that of all parts here.
std::string text_of(const Reading& reading) {
  INFO((reading.error ? reading.error->message() : std::string()));
  REQUIRE_FALSE(reading.error);
  const std::string content = reading.job.content.text();
  std::string text;
  for (std::size_t at = 0; at < content.size(); ++at) {
    const std::string code = content[at] == '=' ? content.substr(at + 1, 2) : std::string();
    const bool is_octet =
        code.size() == 2 && code.find_first_not_of("0123456789ABCDEF") == std::string::npos;
    if (is_octet) {
      text += static_cast<char>(std::stoi(code, nullptr, 16));
    } else if (code != "\r\n") {
      text += content[at];
      continue;
    }
    at += 2;
  }
  return text;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string line_with(const std::string& recipients, const std::string& more = {}) {
  return R"({"id":"weekly","from":"News <news@example.com>","subject":"For {{name}}",)"
         R"("text":"Hello {{name}}, {{city}}.\n")" +
         more + R"(,"recipients":)" + recipients + "}";
}

}  // namespace

TEST_CASE("fan out: each recipient has a message of his own") {
  const auto readings = read_all(
      line_with(R"([{"email":"ann@example.net","name":"Ann","id":"a-1","merge":{"city":"Oslo"}},)"
                R"({"email":"bob@example.net","name":"Bob","id":17,"merge":{"city":"Rome"}}])"));
  REQUIRE(verdicts(readings) ==
          std::vector<std::string>{"ann@example.net: ok", "bob@example.net: ok"});
  const Message& ann = readings[0].job;
  const Message& bob = readings[1].job;
  CHECK(ann.id == "weekly");
  CHECK(bob.id == "weekly");
  CHECK(ann.recipient_id == "a-1");
  CHECK(bob.recipient_id == "17");
  CHECK(ann.sender == "news@example.com");
  CHECK(ann.origin.first_recipient == 0);
  CHECK(bob.origin.first_recipient == 1);
  CHECK(ann.origin.job_recipients == 2);
  CHECK(bob.origin.job_recipients == 2);
  CHECK(bob.origin.file == "jobs.jsonl");
  CHECK(bob.origin.line == 2);
  CHECK(has(text_of(readings[0]), "Subject: For Ann\r\n"));
  CHECK(has(text_of(readings[0]), "Hello Ann, Oslo."));
  CHECK(has(text_of(readings[1]), "Hello Bob, Rome."));
  CHECK(has(text_of(readings[1]), "To: Bob <bob@example.net>\r\n"));
  const auto message_id = [](const Reading& reading) {
    const std::string text = text_of(reading);
    const std::size_t at = text.find("Message-ID:");
    return text.substr(at, text.find("\r\n", at) - at);
  };
  CHECK(message_id(readings[0]) != message_id(readings[1]));
  CHECK(ann.idempotency_key != bob.idempotency_key);
}

TEST_CASE("fan out: the same line makes the same messages again") {
  const std::string line =
      line_with(R"(["a@b.example","c@d.example"])", R"(,"merge":{"name":"x","city":"y"})");
  const auto once = read_all(line);
  const auto again = read_all(line);
  REQUIRE(once.size() == 2);
  for (std::size_t i = 0; i < once.size(); ++i) {
    CHECK(text_of(once[i]) == text_of(again[i]));
  }
}

TEST_CASE("fan out: an invalid recipient is alone in it, and is named") {
  const auto readings = read_all(
      line_with(R"(["ok@example.net",{"email":"no at sign","id":"n"},{"emial":"x@y.example"},17,)"
                R"({"email":"m@example.net","merge":{"city":null}},)"
                R"({"email":"t@example.net","email":"u@example.net"},)"
                R"({"email":"h@example.net","headers":{"X-A":"1\n2"}},)"
                R"({"email":"v@example.net","merge":[1]},{"email":"w@example.net","id":1.5}])",
                R"(,"merge":{"name":"x","city":"y"})"));
  CHECK(verdicts(readings) ==
        std::vector<std::string>{"ok@example.net: ok",
                                 "no at sign: invalid_address recipients[1].email",
                                 ": unknown_field recipients[2].emial",
                                 ": wrong_type recipients[3]", "m@example.net: missing_field text",
                                 "t@example.net: duplicate_field recipients[5].email",
                                 "h@example.net: invalid_header recipients[6].headers.X-A",
                                 "v@example.net: wrong_type recipients[7].merge",
                                 "w@example.net: invalid_value recipients[8].id"});
  CHECK(has(reason_of(readings, 2), "did you mean \"email\"?"));
  CHECK(readings[1].job.recipient_id == "n");
  CHECK(readings[8].job.origin.first_recipient == 8);
  CHECK(readings[3].job.origin.job_recipients == 9);
}

TEST_CASE("fan out: a value that is missing makes its recipient invalid, or is empty") {
  const std::string line =
      line_with(R"([{"email":"a@b.example","name":"A"},{"email":"c@d.example","name":"C",)"
                R"("merge":{"city":"Rome"}}])");
  const auto strict = read_all(line);
  REQUIRE(strict.size() == 2);
  CHECK(strict[0].verdict() == "missing_field text");
  CHECK(strict[0].recipients() == "a@b.example");
  CHECK(has(reason_of(strict), "city"));
  CHECK(strict[1].verdict() == "ok");
  JobReaderOptions options;
  options.missing = codec::MissingPolicy::empty;
  CHECK(has(text_of(read_all(line, options)[0]), "Hello A, ."));
}

TEST_CASE("fan out: an offence of the line is everybody's, by his own address") {
  const auto readings = read_all(
      line_with(R"(["a@b.example",{"email":"c@d.example","id":"c"}])", R"(,"subjct":"x")"));
  CHECK(verdicts(readings) == std::vector<std::string>{"a@b.example: unknown_field subjct",
                                                       "c@d.example: unknown_field subjct"});
  CHECK(readings[1].job.recipient_id == "c");
  const auto of_template = read_all(
      R"({"from":"a@b.example","text":"{{#open}}","recipients":["a@b.example","c@d.example"]})");
  REQUIRE(of_template.size() == 2);
  CHECK(of_template[0].verdict() == "invalid_content text");
  CHECK(of_template[1].verdict() == "invalid_content text");
}

TEST_CASE("fan out: a list that is no list, or none to its end, is one outcome") {
  CHECK(verdicts(read_all(line_with("[]"))) ==
        std::vector<std::string>{": no_recipients recipients"});
  CHECK(verdicts(read_all(line_with(R"("a@b.example")"))) ==
        std::vector<std::string>{": wrong_type recipients"});
  CHECK(verdicts(read_all(line_with(R"(["a@b.example",{"email":tru}])"))) ==
        std::vector<std::string>{": invalid_json recipients"});
  CHECK(verdicts(read_all(line_with(R"(["a@b.example")"))).size() == 1);
  JobReaderOptions options;
  options.line_recipients_max = 2;
  const auto many = read_all(line_with(R"(["a@b.example","c@b.example","d@b.example"])"), options);
  CHECK(verdicts(many) == std::vector<std::string>{"a@b.example: too_many_recipients recipients",
                                                   "c@b.example: too_many_recipients recipients",
                                                   "d@b.example: too_many_recipients recipients"});
}

TEST_CASE("fan out: what the line says otherwise holds for each of its messages") {
  const auto readings =
      read_all(line_with(R"([{"email":"a@b.example","id":"x"},"c@d.example"])",
                         R"(,"merge":{"name":"x","city":"y"},"tags":["t"],"endpoint":"ses",)"
                         R"("expires_at":2000000000,"idempotency_key":"key","envelope":{"from":)"
                         R"("bounce+{{email|url}}@example.com","dsn":{"notify":"NEVER"}})"));
  REQUIRE(readings.size() == 2);
  for (const Reading& reading : readings) {
    INFO((reading.error ? reading.error->message() : std::string()));
    CHECK(reading.job.tags_json == R"(["t"])");
    CHECK(reading.job.endpoint == "ses");
    CHECK(reading.job.expires_at_us == 2'000'000'000'000'000);
    CHECK(reading.job.dsn.notify == "NEVER");
  }
  CHECK(readings[0].job.idempotency_key == "key/x");
  CHECK(readings[1].job.idempotency_key == "key/2");
  CHECK(readings[0].job.sender == "bounce+a%40b.example@example.com");
  CHECK(readings[1].job.sender == "bounce+c%40d.example@example.com");
}

TEST_CASE("fan out: metadata of a recipient lies over that of the line") {
  const std::string values = R"(,"merge":{"name":"x","city":"y"},"metadata":)";
  const auto metadata = [&](const std::string& of_line, const std::string& own) {
    const auto readings = read_all(line_with(
        R"(["z@b.example",{"email":"a@b.example","metadata":)" + own + "}]", values + of_line));
    REQUIRE(readings.size() == 2);
    CHECK(readings[0].job.metadata_json == of_line);
    return readings[1].job.metadata_json;
  };
  CHECK(metadata(R"({"a":1,"b":{"c":2}})", R"({"b":3,"d":"e"})") == R"({"a":1,"b":3,"d":"e"})");
  CHECK(metadata(R"({"a":1})", "{ }") == R"({"a":1})");
  CHECK(metadata("{}", R"({"a": [1, 2]})") == R"({"a":[1,2]})");
  CHECK(metadata(R"({"a":1})", R"({"a":2})") == R"({"a":2})");
  CHECK(metadata(R"({"a":1})", "17") == "17");
  CHECK(metadata("17", R"({"a":1})") == R"({"a":1})");
  const std::string long_text(limits::job_echo_bytes_max - 20, 'x');
  const auto readings =
      read_all(line_with(R"([{"email":"a@b.example","metadata":{"b":")" + long_text + R"("}}])",
                         values + R"({"a":")" + long_text + R"("})"));
  CHECK(verdicts(readings) ==
        std::vector<std::string>{"a@b.example: invalid_value recipients[0].metadata"});
}

TEST_CASE("fan out: header fields of a recipient stand instead of the line's") {
  const auto readings = read_all(
      line_with(R"([{"email":"a@b.example","headers":{"x-list":"his","X-Own":"1"}},"c@d.example"])",
                R"(,"merge":{"name":"x","city":"y"},"headers":{"X-List":"all {{city}}"})"));
  REQUIRE(readings.size() == 2);
  CHECK(has(text_of(readings[0]), "x-list: his\r\n"));
  CHECK(has(text_of(readings[0]), "X-Own: 1\r\n"));
  CHECK_FALSE(has(text_of(readings[0]), "all y"));
  CHECK(has(text_of(readings[1]), "X-List: all y\r\n"));
}

TEST_CASE("fan out: a template of another line has its values, the line's and the recipient's") {
  TemplateTable table;
  table.define(R"({"define":"weekly","from":"News <news@example.com>","subject":"{{topic}}",)"
               R"("text":"{{greeting}} {{first}} {{>foot}}","partials":{"foot":"-- {{topic}}"},)"
               R"("merge":{"greeting":"Hello","topic":"none","first":"friend"},)"
               R"("envelope":{"from":"bounce+{{id}}@example.com"},)"
               R"("unsubscribe":"https://example.com/u/{{id}}","list_id":"weekly.example.com"})");
  JobReaderOptions options;
  options.templates = &table;
  const auto readings = read_all(
      R"({"template":"weekly","merge":{"topic":"Cats"},"headers":{"X-Line":"1"},"recipients":[)"
      R"({"email":"a@b.example","id":"1","merge":{"first":"Ann"}},)"
      R"({"email":"c@d.example","id":"2"}]})",
      options);
  REQUIRE(verdicts(readings) == std::vector<std::string>{"a@b.example: ok", "c@d.example: ok"});
  const std::string ann = text_of(readings[0]);
  CHECK(has(ann, "Subject: Cats\r\n"));
  CHECK(has(ann, "Hello Ann -- Cats"));
  CHECK(has(ann, "X-Line: 1\r\n"));
  CHECK(has(ann, "List-Unsubscribe: <https://example.com/u/1>\r\n"));
  CHECK(has(ann, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
  CHECK(has(ann, "weekly.example.com"));
  CHECK(readings[0].job.sender == "bounce+1@example.com");
  CHECK(has(text_of(readings[1]), "Hello friend -- Cats"));
  CHECK(readings[1].job.sender == "bounce+2@example.com");

  // Another envelope of the line, and none at all.
  const auto other =
      read_all(R"({"template":"weekly","envelope":{"from":"b-{{id}}@x.example"},"recipients":[)"
               R"({"email":"a@b.example","id":"1"},{"email":"c@d.example","id":"2 3"}]})",
               options);
  REQUIRE(other.size() == 2);
  CHECK(other[0].job.sender == "b-1@x.example");
  CHECK(other[1].verdict() == "invalid_address envelope.from");
  const auto none = read_all(R"({"template":"weekly","envelope":{"from":""},)"
                             R"("recipients":[{"email":"a@b.example","id":"1"}]})",
                             options);
  CHECK(none[0].verdict() == "ok");
  CHECK(none[0].job.sender.empty());

  CHECK(read_all(R"({"template":"wekly","recipients":["a@b.example"]})", options)[0].verdict() ==
        "invalid_value template");
  CHECK(read_all(R"({"template":"weekly","recipients":["a@b.example"]})")[0].verdict() ==
        "missing_field template");
}

TEST_CASE("fan out: values of the run stand behind those of the line") {
  codec::MergeData values;
  REQUIRE(codec::MergeJson().read(R"({"name":"everybody","city":"somewhere"})", values));
  JobReaderOptions options;
  options.values = &values;
  const auto readings =
      read_all(line_with(R"(["a@b.example"])", R"(,"merge":{"city":"Rome"})"), options);
  CHECK(has(text_of(readings[0]), "Hello everybody, Rome."));
}

TEST_CASE("fan out: a job with values and addresses of its own is one message") {
  const auto readings =
      read_all(R"({"id":"m","from":"a@b.example","to":["Ann <ann@example.net>","bob@example.net"],)"
               R"("cc":"cc@example.net","bcc":"hidden@example.net","subject":"{{what}}",)"
               R"("text":"{{what}} for {{name}}","merge":{"what":"Bill"}})");
  REQUIRE(verdicts(readings) ==
          std::vector<std::string>{
              "ann@example.net bob@example.net cc@example.net hidden@example.net: ok"});
  const std::string text = text_of(readings[0]);
  CHECK(has(text, "Subject: Bill\r\n"));
  CHECK(has(text, "Bill for Ann"));
  CHECK(has(text, "To: Ann <ann@example.net>, bob@example.net\r\n"));
  CHECK(has(text, "Cc: cc@example.net\r\n"));
  CHECK_FALSE(has(text, "hidden"));
  CHECK(readings[0].job.origin.job_recipients == 0);
  const auto hidden =
      read_all(R"({"from":"a@b.example","bcc":"h@example.net","text":"{{email}}","merge":{}})");
  CHECK(hidden[0].verdict() == "ok");
  CHECK(hidden[0].recipients() == "h@example.net");
  const auto nobody = read_all(R"({"from":"a@b.example","text":"x","merge":{}})");
  CHECK(nobody[0].verdict() == "no_recipients to");
}

TEST_CASE("fan out: fields that may not stand beside each other are said") {
  const auto verdict = [](const std::string& members) {
    return read_all("{" + members + "}")[0].verdict();
  };
  CHECK(verdict(R"("raw":"S: x\r\n\r\nx","from":"a@b.example","recipients":["a@b.example"])") ==
        "conflicting_fields raw");
  CHECK(verdict(R"("raw_file":"x","from":"a@b.example","to":"x@y.example","merge":{})") ==
        "conflicting_fields raw_file");
  CHECK(verdict(
            R"("text":"x","from":"a@b.example","to":"x@y.example","recipients":["a@b.example"])") ==
        "conflicting_fields to");
  CHECK(verdict(R"("text":"x","from":"a@b.example","envelope":{"to":"x@y.example"},)"
                R"("recipients":["a@b.example"])") == "conflicting_fields envelope.to");
  CHECK(verdict(R"("template":"t","text":"x","recipients":["a@b.example"])") ==
        "conflicting_fields text");
  CHECK(verdict(R"("from":"a@b.example","recipients":["a@b.example"])") ==
        "conflicting_fields from");
  CHECK(verdict(R"("from":"a@b.example","to":"c@d.example","text":"x","list_id":"x.example")") ==
        "conflicting_fields list_id");
  CHECK(verdict(R"("id":"x","define":"y")") == "conflicting_fields define");
  CHECK(verdict(R"("text":"x","recipients":["a@b.example"])") == "missing_field from");
}

TEST_CASE("fan out: a definition has nothing of a job") {
  const auto verdict = [](const std::string& line) {
    std::string padded = line + std::string(JobReader::padding_bytes, ' ');
    JobReader reader({});
    codec::DefinitionNote note;
    const auto made =
        reader.read_definition(Bytes(padded).substr(0, line.size()), {"t", 1, 0}, note);
    return made ? "ok " + note.name : note.name + " " + made.error().field;
  };
  CHECK(verdict(R"({"define":"a","from":"a@b.example","text":"x"})") == "ok a");
  CHECK(verdict(R"({"define":"a","from":"a@b.example","text":"x","to":"c@d.example"})") == "a to");
  CHECK(verdict(R"({"define":"a","from":"a@b.example","text":"x","id":"i"})") == "a id");
  CHECK(verdict(R"({"define":"a","from":"a@b.example","text":"x","recipients":[]})") ==
        "a recipients");
  CHECK(verdict(R"({"define":"a","from":"a@b.example","text":"{{"})") == "a text");
  CHECK(verdict(R"({"define":"a","from":"a@b.example","text":"x","partials":{"p":1}})") ==
        "a partials.p");
  CHECK(verdict(R"({"define":"","from":"a@b.example","text":"x"})") == " define");
  CHECK(verdict(R"({"define":"a","from":"a@b.example","text":"x","merge":{"a":1,"a":2}})") ==
        "a merge");
}

TEST_CASE("fan out: a definition is known by the first member of its line") {
  CHECK(codec::begins_definition(R"({"define":"x"})"));
  CHECK(codec::begins_definition("  { \t\"define\" : 1"));
  CHECK(codec::begins_definition("\xef\xbb\xbf{\"define\":\"x\"}"));
  CHECK_FALSE(codec::begins_definition(R"({"defined":"x"})"));
  CHECK_FALSE(codec::begins_definition(R"({"id":"x","define":"x"})"));
  CHECK_FALSE(codec::begins_definition(R"("define")"));
  CHECK_FALSE(codec::begins_definition("{"));
  CHECK_FALSE(codec::begins_definition(""));
}

TEST_CASE("fan out: the reader goes on with ordinary lines, whatever is left of a long one") {
  JobReader reader({});
  std::string padded = line_with(R"(["a@b.example","c@d.example","e@f.example"])",
                                 R"(,"merge":{"name":"x","city":"y"})");
  const std::size_t bytes = padded.size();
  padded.append(JobReader::padding_bytes, ' ');
  Message message;
  const codec::Source where{"f", 1, 0};
  REQUIRE(reader.parse(Bytes(padded).substr(0, bytes), where, message));
  CHECK(reader.has_more());
  CHECK(reader.given_count() == 1);
  CHECK(reader.left_count() == 2);
  CHECK(test::read_with(reader, R"({"from":"a@b.example","to":"c@d.example","text":"{{x}}"})")
            .verdict() == "ok");
  CHECK_FALSE(reader.has_more());
  CHECK(reader.given_count() == 0);
}

}  // namespace ringpost
