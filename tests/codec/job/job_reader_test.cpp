#include "codec/job/job_reader.h"

#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "tests/codec/job/job_reader_support.h"
#include <ringpost/limits.h>

using namespace ringpost;
using namespace ringpost::codec;
using namespace ringpost::test;

TEST_CASE("job_reader: a raw job goes into the job octet for octet") {
  const Reading reading = read(
      R"( {"id":"u-1","envelope":{"from":"bounce+9@example.com","to":["carol@example.org","d@e"],)"
      R"("dsn":{"notify":["success","FAILURE"],"ret":"hdrs","envid":"QQ1"}},)"
      R"("raw":"Subject: \u00e4 \"x\"\r\n\r\n.dot\r\n","endpoint":"ses",)"
      R"("tags":["a", "b"],"metadata":{"k": [1, 2]},"expires_at":"2026-11-21T00:00:00Z",)"
      R"("idempotency_key":"k 1"} )"
      "\r");
  REQUIRE(reading.verdict() == "ok");
  const Message& job = reading.job;
  CHECK(job.id == "u-1");
  CHECK(job.origin.file == "jobs.jsonl");
  CHECK(job.origin.line == 2);
  CHECK(job.sender == "bounce+9@example.com");
  CHECK(reading.recipients() == "carol@example.org d@e");
  CHECK(job.dsn.notify == "SUCCESS,FAILURE");
  CHECK(job.dsn.return_kind == "HDRS");
  CHECK(job.dsn.envelope_id == "QQ1");
  CHECK(job.content.text() == "Subject: \xc3\xa4 \"x\"\r\n\r\n.dot\r\n");
  CHECK(job.content.traits().has_8bit);
  CHECK(job.content.traits().needs_stuffing());
  CHECK(job.content.traits().ends_with_crlf());
  CHECK(job.needs_smtputf8);
  CHECK(job.endpoint == "ses");
  CHECK(job.tags_json == R"(["a","b"])");
  CHECK(job.metadata_json == R"({"k":[1,2]})");
  CHECK(job.expires_at_us == 1'795'219'200'000'000);
  CHECK(job.idempotency_key == "k 1");
}

TEST_CASE("job_reader: without an envelope, from and to, cc, bcc make it") {
  const Reading reading =
      read(R"({"from":"News <n@x>","to":["a@b","C <c@d>",{"email":"e@f","name":"E"}],"cc":"g@h",)"
           R"("bcc":{"email":"i@j"},"raw":"S: x"})");
  REQUIRE(reading.verdict() == "ok");
  CHECK(reading.job.sender == "n@x");
  CHECK(reading.recipients() == "a@b c@d e@f g@h i@j");
}

TEST_CASE("job_reader: the envelope overrides each of its two sides alone") {
  CHECK(read_raw_with(R"("envelope":{"from":"b@c"})").job.sender == "b@c");
  CHECK(read_raw_with(R"("envelope":{"from":"b@c"})").recipients() == "a@b");
  CHECK(read_raw_with(R"("envelope":{"to":"c@d"})").recipients() == "c@d");
  CHECK(read_raw_with(R"("envelope":{"to":["c@d"]})").job.sender == "x@y");
}

TEST_CASE("job_reader: the null sender may have spaces, as every mailbox") {
  CHECK(read_raw_with(R"("envelope":{"from":" < > "})").verdict() == "ok");
  CHECK(read_raw_with(R"("envelope":{"from":" < > "})").job.sender.empty());
  CHECK(read_raw_with(R"("envelope":{"from":"<>x"})").verdict() == "invalid_address envelope.from");
  CHECK(read_raw_with(R"("envelope":{"from":" "})").verdict() == "invalid_address envelope.from");
}

TEST_CASE("job_reader: the null sender stands in the envelope only (S07)") {
  for (const char* sender : {R"("")", R"("<>")"}) {
    const Reading reading = read_raw_with(std::string(R"("envelope":{"from":)") + sender + "}");
    CHECK(reading.verdict() == "ok");
    CHECK(reading.job.sender.empty());
  }
  CHECK(read(R"({"from":"<>","to":"a@b","raw":"S: x"})").verdict() == "invalid_address from");
  CHECK(read(R"({"from":"","to":"a@b","raw":"S: x"})").verdict() == "invalid_address from");
  CHECK(read(R"({"from":"x@y","to":"<>","raw":"S: x"})").verdict() == "invalid_address to");
}

TEST_CASE("job_reader: a finished message begins with a header field") {
  const auto reason = [](const std::string& json) {
    const Reading reading = read(R"({"from":"x@y","to":"a@b","raw":")" + json + "\"}");
    return reading.error ? reading.error->message() : "ok";
  };
  CHECK(reason(R"(Subject: x\n\nx)") == "ok");
  CHECK(reason(R"(Subject : x\r\n\r\nx)") == "ok");
  CHECK(reason(R"(X-1_a.b+c:)") == "ok");
  CHECK(reason(R"(From: a@b\n\nFrom here on\n)") == "ok");
  CHECK(reason(R"(From a@b Sat Nov 28 17:00:00 2026\nSubject: x\n\nx)")
            .starts_with("raw: line 1 (\"From ...\") is what separates messages"));
  CHECK(reason(R"(>From a@b Sat Nov 28\nSubject: x\n\nx)").starts_with("raw: line 1 (\"From"));
  CHECK(reason(R"(\nSubject: x\n\nx)").starts_with("raw: line 1 is empty"));
  CHECK(reason(R"(\r\nSubject: x\r\n\r\nx)").starts_with("raw: line 1 is empty"));
  CHECK(reason(R"( \t\r\nSubject: x\r\n\r\nx)").starts_with("raw: line 1 is empty"));
  CHECK(reason(R"(\ufeffSubject: x\n\nx)").starts_with("raw: line 1 begins with a byte order"));
  CHECK(reason(R"( Subject: x\n\nx)").starts_with("raw: line 1 is no header field"));
  CHECK(
      reason(R"(%PDF-1.7\n%\u00e2\n1 0 obj: x)")
          .starts_with("raw: line 1 is no header field (\"Name: value\"), but begins a PDF file:"));
  CHECK(reason(R"(<!DOCTYPE html>\n<p>a: b)").find("HTML") != std::string::npos);
  CHECK(reason(R"({\"to\":\"a@b\"})").find("JSON") != std::string::npos);
  CHECK(reason(R"(Hello Ann,\n\nwhat: nothing)").starts_with("raw: line 1 is no header field"));
  CHECK(reason(R"(Hello)").starts_with("raw: line 1 is no header field"));
  CHECK(reason(R"(: x\n\nx)").starts_with("raw: line 1 is no header field"));
  CHECK(reason(R"(J\u00f6rg: x\n\nx)").starts_with("raw: line 1 is no header field"));
  const auto octets = [](Bytes base64) {
    const Reading reading =
        read(R"({"from":"x@y","to":"a@b","raw_base64":")" + std::string(base64) + "\"}");
    return reading.error ? reading.error->message() : "ok";
  };
  CHECK(octets("UEsDBBQAAAAIAAAA").find("begins a ZIP archive") != std::string::npos);
  CHECK(octets("//5TADoAIAB4AA==").find("UTF-16") != std::string::npos);
}

TEST_CASE("job_reader: a job without id gets the hash of its line, whatever surrounds it") {
  const std::string line = R"({"from":"x@y","to":"a@b","raw":"S: x"})";
  const std::string id = read(line).job.id;
  CHECK(id.size() == 32);
  CHECK(read("  " + line + " \r").job.id == id);
  CHECK(read(line, {}, 7).job.id == id);
  CHECK(read(R"({"from":"x@y","to":"a@b","raw":"S: y"})").job.id != id);
  CHECK(read("no json").job.id.size() == 32);
}

TEST_CASE("job_reader: a number as id is taken by its digits") {
  const auto id = [](const std::string& json) {
    const Reading reading = read_raw_with("\"id\":" + json + ",\"tags\":[]");
    return reading.verdict() == "ok" ? reading.job.id : reading.verdict();
  };
  CHECK(id("5") == "5");
  CHECK(id(" 1001 ") == "1001");
  CHECK(id("0") == "0");
  CHECK(id("-7") == "-7");
  CHECK(id("12345678901234567890123456789012345678901234567890") ==
        "12345678901234567890123456789012345678901234567890");
  CHECK(read(R"({"from":"x@y","to":"a@b","raw":"S: x\r\n\r\nx","id":42})").job.id == "42");
  CHECK(id("1.0") == "invalid_value id");
  CHECK(id("1e3") == "invalid_value id");
  CHECK(id("01") == "invalid_json");
  CHECK(id("1x") == "invalid_json");
  CHECK(id("-") == "invalid_json");
  CHECK(id("true") == "wrong_type id");
  CHECK(id("[1]") == "wrong_type id");
  CHECK(id(std::string(limits::job_id_bytes_max + 1, '1')) == "invalid_value id");
}

TEST_CASE("job_reader: only a sender may have a local part above 64 octets") {
  const std::string address = "bounces+" + std::string(200, 'a') + "@example.com";
  CHECK(read_raw_with(R"("envelope":{"from":")" + address + "\"}").job.sender == address);
  CHECK(read_raw_with(R"("envelope":{"from":{"email":" )" + address + "\"}}").job.sender ==
        address);
  CHECK(read_raw_with(R"("envelope":{"to":[")" + address + "\"]}").verdict() ==
        "invalid_address envelope.to[0]");
  CHECK(read_raw_with(R"("cc":")" + address + "\"").verdict() == "invalid_address cc");
  CHECK(read_raw_with(R"("cc":"a\u200bb@c")").error->message() ==
        "cc: U+200B (zero width space) stands in the address, where nobody sees it: take it out");
}

TEST_CASE("job_reader: raw_base64 may hold any octets and line breaks of its own") {
  const Reading reading =
      read(R"({"from":"x@y","to":"a@b","raw_base64":"U3ViamVjdDog\r\n5A0KDQp4DQo="})");
  REQUIRE(reading.verdict() == "ok");
  CHECK(reading.job.content.text() == "Subject: \xe4\r\n\r\nx\r\n");
  CHECK(reading.job.content.traits().has_8bit);
  CHECK_FALSE(reading.job.needs_smtputf8);  // Latin-1 in a header is not SMTPUTF8's business
  CHECK(read(R"({"from":"x@y","to":"a@b","raw_base64":"Zm9v*"})").verdict() ==
        "invalid_base64 raw_base64");
  CHECK(read(R"({"from":"x@y","to":"a@b","raw_base64":""})").verdict() ==
        "invalid_content raw_base64");
}

TEST_CASE("job_reader: lone LFs are normalised, or refused under the strict policy") {
  const char* line = R"({"from":"x@y","to":"a@b","raw":"S: x\n\n.x\n"})";
  CHECK(read(line).job.content.text() == "S: x\r\n\r\n.x\r\n");
  CHECK(read(line, {.newlines = NewlinePolicy::strict}).verdict() == "invalid_content raw");
  CHECK(read(R"({"from":"x@y","to":"a@b","raw":"A: a\r\nb\n"})").verdict() ==
        "invalid_content raw");
  CHECK(read(R"({"from":"x@y","to":"a@b","raw":"A: a\rb"})").verdict() == "invalid_content raw");
  CHECK(read(R"({"from":"x@y","to":"a@b","raw":"A: a\u0000b"})").verdict() ==
        "invalid_content raw");
  CHECK(read(R"({"from":"x@y","to":"a@b","raw":""})").verdict() == "invalid_content raw");
  CHECK(read(R"({"from":"x@y","to":"a@b","raw":"A: )" + std::string(999, 'x') + "\"}").verdict() ==
        "invalid_content raw");
}

TEST_CASE("job_reader: a truncated last line is invalid and names its line (S50)") {
  const std::string line = R"({"id":"u-1","from":"x@y","to":["a@b"],"raw":"A: a\r\n\u00e4"})";
  for (std::size_t size = 1; size < line.size(); ++size) {
    const Reading reading = read(Bytes(line).substr(0, size), {}, 9);
    if (reading.verdict() != "truncated" || reading.job.origin.line != 9) {
      FAIL(reading.verdict() << " at " << size);
    }
  }
  CHECK(read(line).verdict() == "ok");
}

TEST_CASE("job_reader: what is no JSON object is refused as what it is") {
  CHECK(read("").verdict() == "empty_line");
  CHECK(read(" \t\r").verdict() == "empty_line");
  CHECK(read("[1]").verdict() == "not_an_object");
  CHECK(read("\"x\"").verdict() == "not_an_object");
  CHECK(read("17").verdict() == "not_an_object");
  CHECK(read("null").verdict() == "not_an_object");
  CHECK(read("[").verdict() == "not_an_object");       // a list over several lines
  CHECK(read("to: a@b").verdict() == "invalid_json");  // begins like `true`
  CHECK(read("From: x").verdict() == "invalid_json");
  CHECK(read(R"({"to":"a@b"} x)").verdict() == "trailing_content");
  CHECK(read(R"({"to":"a@b"}{})").verdict() == "trailing_content");
  CHECK(read(R"({"to":"a@b"}})").verdict() == "trailing_content");
  CHECK(read(R"({"to" "a@b"})").verdict() == "invalid_json");
  CHECK(read(R"({"to":"a@b",})").verdict() == "invalid_json");
  CHECK(read(R"({"to":"a@b" "cc":"c@d"})").verdict() == "invalid_json");
  CHECK(read(R"({to:"a@b"})").verdict() == "invalid_json");
  CHECK(read(R"({"to":})").verdict() == "invalid_json");
  CHECK(read(R"({"to":["a@b",]})").verdict() == "invalid_json");
  CHECK(read(R"({"to":["a@b"})").verdict() == "invalid_json");
  CHECK(read("{\"id\":\"a\nb\"}").verdict() == "invalid_string");
}

TEST_CASE("job_reader: a byte order mark is passed over on the first line only") {
  const std::string line =
      "\xef\xbb\xbf"
      R"({"from":"x@y","to":"a@b","raw":"S: x"})";
  CHECK(read(line, {}, 1).verdict() == "ok");
  CHECK(read(line, {}, 2).verdict() == "invalid_json");
}

TEST_CASE("job_reader: text that is not UTF-8, and half surrogate pairs, are refused (S47)") {
  CHECK(read("{\"id\":\"a\xff\"}").verdict() == "invalid_utf8");
  CHECK(read("\xff\xfe{\"id\":\"a\"}").verdict() == "invalid_utf8");
  CHECK(read("{\"id\":\"\xed\xa0\x80\"}").verdict() == "invalid_utf8");
  CHECK(read_raw_with(R"("id":"\ud800")").verdict() == "invalid_string id");
  CHECK(read_raw_with(R"("id":"\udc00")").verdict() == "invalid_string id");
  CHECK(read_raw_with(R"("id":"\ud83d\ude00")").job.id == "\xf0\x9f\x98\x80");
  CHECK(read_raw_with(R"("id":"a\u0000b")").verdict() == "invalid_string id");
  CHECK(read_raw_with(R"("id":"a\qb")").verdict() == "invalid_string id");
  CHECK(read(R"({"from":"x@y","to":"a@b","raw":"\ud800"})").verdict() == "invalid_string raw");
  CHECK(read_raw_with(R"("\ud800":1)").verdict().starts_with("invalid_string"));
}

TEST_CASE("job_reader: unknown fields are refused, with what may have been meant") {
  const Reading reading = read(R"({"form":"x@y","to":"a@b","raw":"S: x"})");
  CHECK(reading.verdict() == "unknown_field form");
  CHECK(reading.error->reason == R"(unknown field; did you mean "from"?)");
  CHECK(read_raw_with(R"("priority":1)")
            .error->message()
            .starts_with("priority: unknown field; known are id, from, reply_to, to, "));
  CHECK(read_raw_with(R"("a\r\nb":1)").error->message().starts_with(R"(a\r\nb: unknown field;)"));
  CHECK(read_raw_with(R"("cc":{"address":"a@b"})").error->message() ==
        "cc.address: unknown field; known are email, name");
  CHECK(read_raw_with(R"("envelope":{"rcpt":"a@b"})").verdict() == "unknown_field envelope.rcpt");
  CHECK(read_raw_with(R"("cc":{"emial":"a@b"})").error->message() ==
        R"(cc.emial: unknown field; did you mean "email"?)");
}

TEST_CASE("job_reader: a key that stands twice is refused, however it is spelt (S48)") {
  CHECK(read_raw_with(R"("to":"c@d")").verdict() == "duplicate_field to");
  CHECK(read_raw_with(R"("\u0074o":"c@d")").verdict() == "duplicate_field to");
  CHECK(read_raw_with(R"("envelope":{"from":"a@b","from":"c@d"})").verdict() ==
        "duplicate_field envelope.from");
  CHECK(read_raw_with(R"("cc":[{"email":"a@b","email":"c@d"}])").verdict() ==
        "duplicate_field cc[0].email");
  CHECK(read_raw_with(R"("envelope":{"dsn":{"ret":"FULL","ret":"FULL"}})").verdict() ==
        "duplicate_field envelope.dsn.ret");
}

TEST_CASE("job_reader: values of the wrong type are refused where they stand (S49)") {
  CHECK(read_raw_with(R"("id":null)").verdict() == "wrong_type id");
  CHECK(read_raw_with(R"("cc":["c@d",true])").verdict() == "wrong_type cc[1]");
  CHECK(read_raw_with(R"("cc":[["c@d"]])").verdict() == "wrong_type cc[0]");
  CHECK(read_raw_with(R"("cc":{"email":["c@d"]})").verdict() == "wrong_type cc.email");
  CHECK(read_raw_with(R"("envelope":"a@b")").verdict() == "wrong_type envelope");
  CHECK(read_raw_with(R"("envelope":{"from":null})").verdict() == "wrong_type envelope.from");
  CHECK(read_raw_with(R"("tags":{"a":1})").verdict() == "wrong_type tags");
  CHECK(read_raw_with(R"("tags":["a",1])").verdict() == "wrong_type tags[1]");
  CHECK(read_raw_with(R"("expires_at":true)").verdict() == "wrong_type expires_at");
  CHECK(read(R"({"from":"x@y","to":"a@b","raw":["x"]})").verdict() == "wrong_type raw");
  CHECK(read_raw_with(R"("endpoint":5)").error->reason == "must be a string, and is a number");
  CHECK(read_raw_with(R"("id":true)").error->reason ==
        "must be a string or a whole number, and is true or false");
  CHECK(read_raw_with(R"("cc":5)").error->reason ==
        "must be an address or a list of addresses, and is a number");
  CHECK(read_raw_with(R"("cc":[5])").error->reason == "must be an address, and is a number");
}

TEST_CASE("job_reader: no word of notify is empty, wherever it stands") {
  for (const char* words : {R"("")", R"([""])", R"(["","SUCCESS"])", R"(["SUCCESS",""])", "[]"}) {
    INFO(words);
    CHECK(read_raw_with(std::string(R"("envelope":{"dsn":{"notify":)") + words + "}}").verdict() ==
          "invalid_value envelope.dsn.notify");
  }
}

TEST_CASE("job_reader: times of expiry are dates or whole seconds") {
  CHECK(read_raw_with(R"("expires_at":1795219200)").job.expires_at_us == 1'795'219'200'000'000);
  for (const char* value :
       {"0", "-1", "-0", "1.5", "1e400", "1e9", "18446744073709551616", "1795219200000", R"("")",
        R"("tomorrow")", R"("1969-01-01T00:00:00Z")"}) {
    INFO(value);
    CHECK(read_raw_with(std::string(R"("expires_at":)") + value).verdict() ==
          "invalid_value expires_at");
  }
}

TEST_CASE("job_reader: labels are bounded and have no controls") {
  CHECK(read_raw_with(R"("id":"")").verdict() == "invalid_value id");
  CHECK(read_raw_with(R"("id":")" + std::string(512, 'x') + "\"").verdict() == "ok");
  CHECK(read_raw_with(R"("id":")" + std::string(513, 'x') + "\"").verdict() == "invalid_value id");
  CHECK(read_raw_with(R"("id":"a\nb")").verdict() == "invalid_string id");
  CHECK(read_raw_with(R"("endpoint":"")").verdict() == "invalid_value endpoint");
  CHECK(read_raw_with(R"("endpoint":"a\r\nb")").verdict() == "invalid_string endpoint");
  CHECK(read_raw_with(R"("idempotency_key":"a\r\nb")").verdict() ==
        "invalid_string idempotency_key");
  CHECK(read_raw_with(R"("idempotency_key":"ä")").verdict() == "invalid_value idempotency_key");
  CHECK(read_raw_with(R"("idempotency_key":")" + std::string(257, 'x') + "\"").verdict() ==
        "invalid_value idempotency_key");
}

TEST_CASE("job_reader: requests for notifications cannot carry commands (S06)") {
  CHECK(read_raw_with(R"("envelope":{"dsn":{"notify":"FAILURE\r\nRCPT"}})").verdict() ==
        "invalid_value envelope.dsn.notify");
  CHECK(read_raw_with(R"("envelope":{"dsn":{"notify":[]}})").verdict() ==
        "invalid_value envelope.dsn.notify");
  CHECK(read_raw_with(R"("envelope":{"dsn":{"ret":"1\r\nRCPT"}})").verdict() ==
        "invalid_value envelope.dsn.ret");
  CHECK(read_raw_with(R"("envelope":{"dsn":{"envid":"a\tb"}})").verdict() ==
        "invalid_value envelope.dsn.envid");
  CHECK(read_raw_with(R"("envelope":{"dsn":{"notify":7}})").verdict().starts_with("wrong_type"));
}

TEST_CASE("job_reader: tags and metadata are echoed on one line, and bounded") {
  CHECK(read_raw_with(R"("tags":"one")").job.tags_json == R"("one")");
  CHECK(read_raw_with(R"("tags":[])").job.tags_json == "[]");
  CHECK(read_raw_with(R"("tags":["a\u001b\n"])").job.tags_json == R"(["a\u001b\n"])");
  CHECK(read_raw_with(R"("metadata":{ "a" : { "b" : "c d" } })").job.metadata_json ==
        R"({"a":{"b":"c d"}})");
  for (const char* value : {"[ ]", "5 ", R"("x")", "null", "-1.5e3"}) {
    const std::string json = value;
    CHECK(read_raw_with("\"metadata\":" + json).job.metadata_json.front() == json.front());
  }
  CHECK(read_raw_with(R"("metadata":tru)").verdict() == "invalid_json metadata");
  CHECK(read_raw_with(R"("metadata":01)").verdict() == "invalid_json metadata");
  CHECK(read_raw_with(R"("metadata":])").verdict().starts_with("invalid_json"));
  CHECK(read_raw_with(R"("metadata":"\ud800")").verdict() == "invalid_string metadata");
  CHECK(read_raw_with(R"("metadata":{"a":tru})").verdict() == "invalid_json metadata");
  CHECK(read_raw_with(R"("metadata":{"a":"\ud800"})").verdict() == "invalid_string metadata");
  CHECK(read_raw_with(R"("metadata":{"a":"\u0000"})").verdict() == "invalid_string metadata");
  CHECK(read_raw_with(R"("metadata":{"a":")" + std::string(20'000, 'x') + "\"}").verdict() ==
        "invalid_value metadata");
  std::string tags = R"("tags":[)";
  for (int count = 0; count < 10'000; ++count) {
    tags += "\"tag\",";
  }
  tags.back() = ']';
  CHECK(read_raw_with(tags).verdict() == "invalid_value tags");
}

TEST_CASE("job_reader: depth is bounded everywhere, and costs no stack (S46)") {
  const std::string deep =
      R"("metadata":{"a":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  CHECK(read_raw_with(deep).verdict() == "too_deep metadata");
  const auto nested = [](std::size_t depth) {
    return R"("metadata":{"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  CHECK(read_raw_with(nested(limits::job_depth_max - 2)).verdict() == "ok");
  CHECK(read_raw_with(nested(limits::job_depth_max - 1)).verdict() == "too_deep metadata");
  CHECK(
      read_raw_with(R"("cc":)" + std::string(100'000, '[') + std::string(100'000, ']')).verdict() ==
      "wrong_type cc[0]");
  CHECK(read(R"({"cc":)" + std::string(100'000, '[')).verdict() == "too_deep");
  CHECK(read(R"({"metadata":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}")
            .verdict() == "too_deep metadata");
}

TEST_CASE("job_reader: a finished message has no places for values") {
  for (const char* const members :
       {R"("template":"weekly")", R"("merge":{"a":1})", R"("recipients":[{"email":"a@b"}])"}) {
    const Reading reading = read_raw_with(members);
    INFO(members);
    CHECK(reading.verdict() == "conflicting_fields raw");
    CHECK(reading.recipients() == "a@b");
  }
}

TEST_CASE("job_reader: a finished message and fields of a composed one do not go together") {
  for (const char* member :
       {R"("subject":"x")", R"("text":"x")", R"("html":"x")", R"("text_file":"x")",
        R"("html_file":"x")", R"("headers":{})", R"("attachments":[])", R"("reply_to":"a@b")"}) {
    CHECK(read_raw_with(member).verdict().starts_with("conflicting_fields"));
  }
  CHECK(read_raw_with(R"("raw_base64":"eA==")").verdict() == "conflicting_fields raw_base64");
  CHECK(read_raw_with(R"("raw_file":"x")").verdict() == "conflicting_fields raw_file");
}

TEST_CASE("job_reader: sender, recipients and content are required") {
  CHECK(read(R"({"from":"x@y","raw":"S: x"})").verdict() == "no_recipients to");
  CHECK(read(R"({"from":"x@y","to":[],"raw":"S: x"})").verdict() == "no_recipients");
  CHECK(read(R"({"from":"x@y","to":"a@b","envelope":{"to":[]},"raw":"S: x"})").verdict() ==
        "no_recipients");
  CHECK(read(R"({"to":"a@b","raw":"S: x"})").verdict() == "missing_field from");
  CHECK(read(R"({"from":["x@y","z@y"],"to":"a@b","raw":"S: x"})").verdict() ==
        "invalid_value from");
  CHECK(read(R"({"from":"x@y","to":"a@b"})").verdict() == "missing_field");
  CHECK(read(R"({"from":"x@y","to":{"name":"A"},"raw":"S: x"})").verdict() ==
        "missing_field to.email");
}

TEST_CASE("job_reader: recipients are bounded (S52)") {
  const auto line = [](std::size_t count) {
    std::string text = R"({"from":"x@y","raw":"S: x","to":["a@b")";
    for (std::size_t index = 1; index < count; ++index) {
      text += R"(,"a@b")";
    }
    return text + "]}";
  };
  CHECK(read(line(limits::job_recipients_max)).verdict() == "ok");
  // Nobody of those who are too many is lost.
  const Reading reading = read(line(limits::job_recipients_max + 7));
  CHECK(reading.verdict() == "too_many_recipients to");
  CHECK(reading.job.recipients.size() == limits::job_recipients_max + 7);
  std::string hidden = line(limits::job_recipients_max + 7);
  hidden.replace(hidden.find("\"to\":["), 6, "\"to\":\"c@d\",\"bcc\":[");
  const Reading of_bcc = read(hidden);
  CHECK(of_bcc.verdict() == "too_many_recipients bcc");
  CHECK(of_bcc.job.recipients.size() == limits::job_recipients_max + 8);
  // Nor can they be spread over the fields, or hide where they are no recipients.
  std::string half = line(limits::job_recipients_max / 2 + 1);
  half.replace(half.find("\"to\":["), 6, "\"cc\":[");
  const std::string both = line(limits::job_recipients_max / 2 + 1);
  CHECK(read(both.substr(0, both.size() - 1) + "," + half.substr(half.find("\"cc\""))).verdict() ==
        "too_many_recipients");
  std::string replies = line(limits::job_recipients_max + 1);
  replies.replace(replies.find("\"to\":["), 6, "\"to\":\"a@b\",\"reply_to\":[");
  CHECK(read(replies).verdict() == "too_many_recipients reply_to");
}

TEST_CASE("job_reader: a smaller bound on recipients holds in each list and over all of them") {
  JobReaderOptions options;
  options.recipients_max = 2;
  const auto read_to = [&](const std::string& recipients) {
    return read(R"({"from":"x@y","raw":"S: x",)" + recipients + "}", options);
  };
  CHECK(read_to(R"("to":["a@b","c@d"])").verdict() == "ok");
  const Reading surplus = read_to(R"("to":["a@b","c@d","e@f"],"cc":"g@h","bcc":["i@j"])");
  CHECK(surplus.verdict() == "too_many_recipients to");
  CHECK(surplus.recipients() == "a@b c@d g@h i@j e@f");
  const Reading envelope = read_to(R"("envelope":{"to":["a@b","c@d","e@f","g h"]})");
  CHECK(envelope.verdict() == "too_many_recipients envelope.to");
  CHECK(envelope.recipients() == "a@b c@d e@f g h");
  CHECK(read_to(R"("to":"a@b","cc":"c@d","bcc":"e@f")").verdict() == "too_many_recipients");
}

TEST_CASE("job_reader: an error leaves what an outcome line needs, in whatever order it came") {
  const Reading reading =
      read(R"({"from":"no address","tags":["t"],"to":["a@b","bad\r\n","c@d",5],"metadata":{"m":1},)"
           R"("id":"u-1","raw":"S: x"})");
  CHECK(reading.verdict() == "invalid_address from");
  CHECK(reading.job.id == "u-1");
  CHECK(reading.recipients() == "a@b bad\r\n c@d");
  CHECK(reading.job.tags_json == R"(["t"])");
  CHECK(reading.job.metadata_json == R"({"m":1})");
  CHECK(read(R"({"id":"u-2","to":"a@b","raw":"x\ry","from":"x@y"})").recipients() == "a@b");
}

TEST_CASE("job_reader: an address that was refused is named, cut to a sane length") {
  const Reading reading = read_raw_with(R"("cc":")" + std::string(5000, 'x') + "\"");
  CHECK(reading.verdict() == "invalid_address cc");
  CHECK(reading.job.recipients[1].size() == 320);
}

TEST_CASE("job_reader: one reader reads good and bad lines in any order") {
  JobReader reader({});
  const std::string good = R"({"id":"g","from":"x@y","to":"a@b","raw":"S: ok"})";
  for (const std::string& bad :
       {std::string("{"), std::string("{\"to\":[\"a@b\","), std::string("\xff"),
        std::string(R"({"id":"\ud800","cc":"bad","raw":"\ud800"})"), std::string("[[[["),
        std::string(R"({"from":"q@r","to":["c@d","e@f"],"subject":"s","text":"t","bcc":"h@i"})"),
        "{\"metadata\":" + std::string(2'000'000, '[')}) {
    static_cast<void>(read_with(reader, bad));
    const Reading reading = read_with(reader, good);
    REQUIRE(reading.verdict() == "ok");
    CHECK(reading.job.content.text() == "S: ok");
    CHECK(reading.recipients() == "a@b");
  }
}

TEST_CASE("job_reader: a message above the bound is refused (S45)") {
  const std::string line = std::string(60, 'x') + "\\r\\n";
  std::string text = R"({"from":"x@y","to":"a@b","raw":"S: x\r\n\r\n)";
  while (text.size() < limits::message_bytes_max / 62 * 64 + 1000) {
    text += line;
  }
  CHECK(read(text + "\"}").verdict() == "message_too_large raw");
  CHECK(read("{" + std::string(limits::job_line_bytes_max, ' ') + "}").verdict() ==
        "line_too_long");
}

TEST_CASE("job_reader: every kind of error has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t index = 0; index < job_error_kind_count; ++index) {
    names.insert(name_of(static_cast<JobErrorKind>(index)));
  }
  CHECK(names.size() == job_error_kind_count);
  CHECK_FALSE(names.contains(""));
}
