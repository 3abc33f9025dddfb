// Composed jobs and jobs with files: what becomes of a draft.
#include "codec/job/job_draft.h"

#include <map>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "tests/codec/job/job_reader_support.h"
#include <ringpost/limits.h>

using namespace ringpost;
using namespace ringpost::codec;
using namespace ringpost::test;

namespace {

// Files that exist in this test only.
class FakeFiles : public FileSource {
 public:
  std::map<std::string, std::string, std::less<>> files;
  std::size_t last_bytes_max = 0;

  Result<void, FileError> read(Bytes path, std::size_t bytes_max, std::string& content) override {
    last_bytes_max = bytes_max;
    const auto found = files.find(path);
    if (found == files.end()) {
      return Failure(FileError{"no such file"});
    }
    if (found->second.size() > bytes_max) {
      return Failure(FileError{"too large"});
    }
    content = found->second;
    return {};
  }
};

Reading read_with_files(const std::string& members, FakeFiles& files) {
  return read(R"({"from":"x@y","to":"a@b",)" + members + "}", {.files = &files});
}

Reading read_composed(const std::string& members) {
  return read(R"({"id":"1","from":"News <news@example.com>","to":"Ann <ann@example.net>",)" +
              members + "}");
}

}  // namespace

TEST_CASE("job_draft: a composed job is a message with everything a message needs") {
  const Reading reading = read_composed(
      R"("subject":"Hello","text":"Hi Ann\n.\n","bcc":"secret@example.org","reply_to":"r@s")");
  REQUIRE(reading.verdict() == "ok");
  CHECK(reading.job.sender == "news@example.com");
  CHECK(reading.recipients() == "ann@example.net secret@example.org");
  const std::string content = reading.job.content.text();
  const std::size_t id = content.find("Message-ID: <");
  REQUIRE(id != std::string::npos);
  CHECK(content.substr(0, id) ==
        "From: News <news@example.com>\r\n"
        "Reply-To: r@s\r\n"
        "To: Ann <ann@example.net>\r\n"
        "Subject: Hello\r\n"
        "Date: Fri, 20 Nov 2026 21:22:23 +0000\r\n");
  CHECK(content.substr(id + 13 + 32) ==
        "@example.com>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 7bit\r\n"
        "\r\n"
        "Hi Ann\r\n.\r\n");
  CHECK(reading.job.content.traits().needs_stuffing());
  CHECK(reading.job.content.traits().ends_with_crlf());
  CHECK(content.find("secret") == std::string::npos);
}

TEST_CASE("job_draft: the same line composes the same octets, another line another Message-ID") {
  const std::string members = R"("text":"x","html":"y")";
  CHECK(read_composed(members).job.content.text() == read_composed(members).job.content.text());
  CHECK(read_composed(members).job.content.text() !=
        read_composed(members + " ,\"tags\":[]").job.content.text());
}

TEST_CASE("job_draft: SMTPUTF8 is needed for a local part, not for names and domains") {
  CHECK_FALSE(
      read_composed(R"("cc":"J\u00f6rg <j@\u00e4.example>","text":"x")").job.needs_smtputf8);
  CHECK_FALSE(read_composed(R"("cc":"J\u00f6rg <j@\u00e4.example>","text":"x")")
                  .job.content.traits()
                  .has_8bit);
  const Reading reading = read_composed(R"("cc":"j\u00f6rg@example.org","text":"x")");
  CHECK(reading.job.needs_smtputf8);
  CHECK(reading.job.content.traits().has_8bit);
  // Hidden from the envelope, it stands in the header all the same.
  CHECK(
      read_composed(R"("cc":"j\u00f6rg@a","envelope":{"to":"a@b"},"text":"x")").job.needs_smtputf8);
}

TEST_CASE("job_draft: headers cannot carry other headers (S09)") {
  const auto verdict = [](const std::string& headers) {
    return read_composed(R"("text":"x","headers":)" + headers).verdict();
  };
  CHECK(verdict(R"({"X-A":"b"})") == "ok");
  CHECK(verdict(R"({"X-A":"a\r\nBcc: x@y"})") == "invalid_header headers.X-A");
  CHECK(verdict(R"({"X-A":"a\r\n b"})") == "invalid_header headers.X-A");
  CHECK(verdict(R"({"X-A":"a\nb"})") == "invalid_header headers.X-A");
  CHECK(verdict(R"({"X-A":"a\u0000b"})") == "invalid_string headers.X-A");
  CHECK(verdict(R"({"X-A":"a\u0007b"})") == "invalid_header headers.X-A");
  CHECK(verdict(R"({"X A":"b"})") == "invalid_header headers.X A");
  CHECK(verdict(R"({"X-A:":"b"})") == "invalid_header headers.X-A:");
  CHECK(verdict(R"({"X-\u00e4":"b"})") == "invalid_header headers.X-\xc3\xa4");
  CHECK(verdict(R"({"X\r\nY":"b"})") == R"(invalid_header headers.X\r\nY)");
  CHECK(verdict(R"({"":"b"})") == "invalid_header headers.");
  CHECK(verdict(R"({"X-A":["a",5]})") == "wrong_type headers.X-A[1]");
  CHECK(verdict(R"({"X-A":"b","x-a":"c"})") == "duplicate_field headers.x-a");
  CHECK(verdict(R"({"Bcc":"b@c"})") == "invalid_header headers.Bcc");
  CHECK(verdict(R"({"content-type":"text/plain"})") == "invalid_header headers.content-type");
  CHECK(verdict(R"({"MIME-Version":"1.0"})") == "invalid_header headers.MIME-Version");
  CHECK(verdict(R"({"To":"b@c"})") == "conflicting_fields headers.To");
  CHECK(verdict(R"({"References":["<a@b>","<c@d>"]})") == "invalid_header headers.References");
  CHECK(verdict(R"([])") == "wrong_type headers");
  CHECK(read_composed(R"("subject":"a\r\nBcc: x","text":"x")").verdict() ==
        "invalid_header subject");
}

TEST_CASE("job_draft: fields of headers are bounded in number") {
  std::string headers = R"("text":"x","headers":{"X-A":[)";
  for (std::size_t index = 0; index < limits::job_header_fields_max; ++index) {
    headers += "\"v\",";
  }
  headers.back() = ']';
  CHECK(read_composed(headers + "}").verdict() == "ok");
  CHECK(read_composed(headers + R"(,"X-B":"v"})").verdict() == "invalid_header headers.X-B");
}

TEST_CASE("job_draft: From may stand in headers when the envelope has the sender") {
  CHECK(read(R"({"envelope":{"from":"b@c"},"headers":{"From":"A <a@b>"},"to":"d@e","text":"x"})")
            .verdict() == "ok");
  CHECK(read(R"({"headers":{"From":"A <a@b>"},"to":"d@e","text":"x"})").verdict() ==
        "missing_field from");
  CHECK(read(R"({"envelope":{"from":"b@c"},"to":"d@e","text":"x"})").verdict() ==
        "missing_field from");
  // A notification: null sender, and an author all the same.
  const Reading reading = read(R"({"envelope":{"from":""},"from":"a@b.c","to":"d@e","text":"x"})");
  CHECK(reading.verdict() == "ok");
  CHECK(reading.job.sender.empty());
  CHECK(reading.job.content.text().find("@b.c>\r\n") != std::string::npos);
}

TEST_CASE("job_draft: text with mixed line ends, bare CR or NUL is refused") {
  CHECK(read_composed(R"("text":"a\r\nb\n")").verdict() == "invalid_content text");
  CHECK(read_composed(R"("html":"a\rb")").verdict() == "invalid_content html");
  CHECK(read_composed(R"("html":"a\u0000b")").verdict() == "invalid_content html");
  CHECK(read_composed(R"("text":")" + std::string(5000, 'x') + "\"").verdict() == "ok");
}

TEST_CASE("job_draft: content comes from files where the job says so") {
  FakeFiles files;
  files.files["m.eml"] = "S: x\n\nbody\n";
  files.files["t.txt"] = "\xef\xbb\xbfHello\n";
  files.files["latin.txt"] =
      "Gr\xfc\xdf"
      "e";
  files.files["dir/logo.png"] = "PNG";
  CHECK(read_with_files(R"("raw_file":"m.eml")", files).job.content.text() ==
        "S: x\r\n\r\nbody\r\n");
  const Reading text = read_with_files(R"("text_file":"t.txt")", files);
  CHECK(text.job.content.text().ends_with("\r\n\r\nHello\r\n"));
  CHECK(read_with_files(R"("html_file":"latin.txt")", files).verdict() == "file_error html_file");
  CHECK(read_with_files(R"("raw_file":"none")", files).error->message() ==
        "raw_file: none: no such file");
  // Whatever a file is called, the error is one line.
  CHECK(read_with_files(R"("raw_file":"a\nb")", files).error->message() ==
        "raw_file: a\\nb: no such file");
  CHECK(read_with_files(R"("raw_file":"")", files).verdict() == "invalid_value raw_file");
  CHECK(read_with_files(R"("raw_file":"a\u0000b")", files).verdict() == "invalid_string raw_file");
  CHECK(read_with_files(R"("text":"x","text_file":"t.txt")", files).verdict() ==
        "conflicting_fields text_file");
  const Reading attached =
      read_with_files(R"("text":"x","attachments":[{"path":"dir/logo.png"}])", files);
  CHECK(attached.job.content.text().find("filename=\"logo.png\"") != std::string::npos);
  CHECK(attached.job.content.text().find("\r\n\r\nUE5H\r\n") != std::string::npos);
}

TEST_CASE("job_draft: without a source of files, jobs that name files are refused") {
  CHECK(read(R"({"from":"x@y","to":"a@b","raw_file":"/etc/passwd"})").error->message() ==
        "raw_file: files are not allowed here");
  CHECK(read(R"({"from":"x@y","to":"a@b","text":"","attachments":[{"path":"/etc/passwd"}]})")
            .verdict() == "file_error attachments[0].path");
}

TEST_CASE("job_draft: an attached message has its line ends put in order, and 8 bits are noted") {
  FakeFiles files;
  files.files["a.eml"] = "Subject: x\n\n\xc3\xbc\n";
  const Reading reading = read_with_files(
      R"("text":"x","attachments":[{"path":"a.eml","content_type":"message/rfc822"}])", files);
  REQUIRE(reading.verdict() == "ok");
  CHECK(reading.job.content.text().find(
            "8bit\r\nContent-Disposition: attachment;\r\n "
            "filename=\"a.eml\"\r\n\r\nSubject: x\r\n\r\n\xc3\xbc\r\n\r\n--") != std::string::npos);
  CHECK(reading.job.content.traits().has_8bit);
  files.files["a.eml"] = "Subject: x\n\r\n";
  const Reading mixed = read_with_files(
      R"("text":"x","attachments":[{"path":"a.eml","content_type":"message/rfc822"}])", files);
  CHECK(mixed.verdict() == "invalid_attachment attachments[0]");
  files.files["a.eml"] = "From x@y\nSubject: x\n\n";
  const Reading mbox = read_with_files(
      R"("text":"x","attachments":[{"path":"a.eml","content_type":"message/rfc822"}])", files);
  CHECK(mbox.error->message().starts_with("attachments[0]: is no message: line 1 (\"From ...\")"));
}

TEST_CASE("job_draft: text has no byte order mark, wherever it comes from") {
  FakeFiles files;
  files.files["a.txt"] = "\xef\xbb\xbfHi\n";
  CHECK(read_with_files(R"("text_file":"a.txt")", files)
            .job.content.text()
            .ends_with("\r\n\r\nHi\r\n"));
  CHECK(read_with_files(R"("text":"\ufeffHi\n")", files)
            .job.content.text()
            .ends_with("\r\n\r\nHi\r\n"));
}

TEST_CASE("job_draft: a finished message from a file begins with a header field") {
  FakeFiles files;
  files.files["m.eml"] = "From x@y Sat Nov 28 17:00:00 2026\nSubject: x\n\nx\n";
  const Reading reading = read_with_files(R"("raw_file":"m.eml")", files);
  CHECK(reading.verdict() == "invalid_content raw_file");
  CHECK(reading.error->reason.starts_with("line 1 "));
}

TEST_CASE("job_draft: parts share the bound of one message") {
  FakeFiles files;
  files.files["large"] = std::string(limits::message_bytes_max / 2 + 1, 'x');
  CHECK(read_with_files(R"("text":"","attachments":[{"path":"large"},{"path":"large"}])", files)
            .verdict() == "file_error attachments[1].path");
  CHECK(files.last_bytes_max < limits::message_bytes_max / 2);
  CHECK(read_with_files(R"("text_file":"large","html_file":"large")", files).verdict() ==
        "message_too_large");
  // Small enough as it is, and too large in base64.
  files.files["fits"] = std::string(limits::message_bytes_max - 100, 'x');
  CHECK(read_with_files(R"("attachments":[{"path":"fits"}])", files).verdict() ==
        "message_too_large");
}

TEST_CASE("job_draft: attachments are checked member by member") {
  const auto verdict = [](const std::string& attachment) {
    return read_composed(R"("text":"x","attachments":[)" + attachment + "]").verdict();
  };
  CHECK(verdict(R"({"filename":"a.txt","content":"eA=="})") == "ok");
  CHECK(verdict(R"({"content":""})") == "ok");
  CHECK(verdict(R"({"filename":"a.txt"})") == "missing_field attachments[0]");
  CHECK(verdict(R"({"content":"","path":"x"})") == "conflicting_fields attachments[0]");
  CHECK(verdict(R"({"content":"*"})") == "invalid_base64 attachments[0].content");
  CHECK(verdict(R"({"content":"","name":"x"})") == "unknown_field attachments[0].name");
  CHECK(verdict(R"({"content":"","filename":"a\r\nb"})") ==
        "invalid_attachment attachments[0].filename");
  CHECK(verdict(R"({"content":"","content_type":"text"})") ==
        "invalid_attachment attachments[0].content_type");
  CHECK(verdict(R"({"content":"","content_type":"text/plain\r\nX: y"})") ==
        "invalid_attachment attachments[0].content_type");
  CHECK(verdict(R"({"content":"","content_type":"multipart/mixed"})") ==
        "invalid_attachment attachments[0].content_type");
  CHECK(verdict(R"({"content":"","cid":"a>\r\nX: y"})") == "invalid_attachment attachments[0].cid");
  CHECK(verdict(R"("x")") == "wrong_type attachments[0]");
  CHECK(read_composed(R"("text":"x","attachments":{})").verdict() == "wrong_type attachments");
}
