#include "tools/sink/message_record.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::sink;

namespace {

// A folder of its own that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "record-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string text_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

const std::array<std::uint64_t, violation_count> no_violations{};

AcceptedMessage message_with(const std::array<std::uint64_t, violation_count>& violations) {
  return {.session = 3,
          .message = 2,
          .queue_id = "3-2",
          .sender = "\"a\\\"b\"@c",
          .recipients = "d@e\nf@g\n",
          .bytes = 3,
          .user = "ringpost",
          .tls_version = "TLSv1.3",
          .chunked = true,
          .violations = violations};
}

std::string x_id_of(Bytes header, std::size_t piece_bytes) {
  XIdCapture capture;
  capture.begin();
  for (std::size_t at = 0; at < header.size(); at += piece_bytes) {
    capture.feed(header.substr(at, piece_bytes));
  }
  return capture.found() ? std::string(capture.value()) : "none";
}

}  // namespace

TEST_CASE("x-id: the first field of the header section, in any case and at any cut") {
  for (std::size_t piece = 1; piece < 60; ++piece) {
    REQUIRE(x_id_of("X-Idle: no\r\nx-ID:  a 1 \r\nX-Id: b\r\n\r\nX-Id: c\r\n", piece) == "a 1");
    REQUIRE(x_id_of("X-Id:q\r\n\r\n", piece) == "q");
    REQUIRE(x_id_of("Subject: x\r\n\r\nX-Id: c\r\n", piece) == "none");
    REQUIRE(x_id_of("A: b\r\n X-Id: folded\r\nX-I\r\nX-Id\r\n\r\n", piece) == "none");
    REQUIRE(x_id_of("\r\nX-Id: c\r\n", piece) == "none");
    REQUIRE(x_id_of("X-Id:\r\n\r\n", piece).empty());
  }
}

TEST_CASE("x-id: a value is cut behind 256 octets") {
  REQUIRE(x_id_of("X-Id:" + std::string(1000, 'x') + "\r\n\r\n", 7) == std::string(256, 'x'));
}

TEST_CASE("record: a line says what the message was") {
  const Folder folder;
  {
    auto record = Record::open(folder.file("r.jsonl"), {});
    REQUIRE(record);
    RecordBuffer buffer(**record);
    buffer.set_time(1'763'672'400'042'000);
    MessageRecorder recorder(buffer);
    recorder.content("a");
    recorder.content("bc");
    recorder.accepted(message_with(no_violations));
    recorder.content("discarded");
    recorder.discarded();
    std::array<std::uint64_t, violation_count> violations{};
    violations[static_cast<std::size_t>(Violation::bare_lf)] = 4;
    violations[static_cast<std::size_t>(Violation::syntax)] = 1;
    recorder.content("X-Id: \"7\"\r\n");
    recorder.content("\r\n");
    recorder.accepted(message_with(violations));
  }
  const std::string message =
      R"({"session":3,"message":2,"queue_id":"3-2","from":"\"a\\\"b\"@c","to":["d@e","f@g"],)";
  const std::string origin = R"("auth":"ringpost","tls":"TLSv1.3","via":"BDAT",)";
  const std::string abc_digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const std::string x_id_digest =
      "c9ff363417ee63a37ed4f6fc84a4a91366a4afc415cff54b150f9d27909883df";
  REQUIRE(text_of(folder.file("r.jsonl")) ==
          message + R"("bytes":3,"sha256":")" + abc_digest + R"(","x_id":null,)" + origin +
              R"("violations":{},"ts":"2025-11-20T21:00:00.042Z"})" + "\n" + message +
              R"("bytes":3,"sha256":")" + x_id_digest + R"(","x_id":"\"7\"",)" + origin +
              R"("violations":{"bare_lf":4,"syntax":1},"ts":"2025-11-20T21:00:00.042Z"})" + "\n");
}

TEST_CASE("record: without digests a line says everything else") {
  const Folder folder;
  {
    auto record = Record::open(folder.file("r.jsonl"), {}, false);
    REQUIRE(record);
    RecordBuffer buffer(**record);
    MessageRecorder recorder(buffer);
    recorder.content("X-Id: 7\r\n\r\n");
    recorder.accepted(message_with(no_violations));
  }
  const std::string line = text_of(folder.file("r.jsonl"));
  CHECK(line.find(R"("bytes":3,"sha256":null,"x_id":"7",)") != std::string::npos);
}

TEST_CASE("record: contents of accepted messages stand in files, those of others do not") {
  const Folder folder;
  auto record = Record::open({}, folder.file("content"));
  REQUIRE(record);
  RecordBuffer buffer(**record);
  {
    MessageRecorder recorder(buffer);
    recorder.content("one\r\n");
    recorder.accepted(message_with(no_violations));
    recorder.content("two\r\n");
    recorder.discarded();
    recorder.content("three\r\n");
  }
  REQUIRE(text_of(folder.file("content/3-2.eml")) == "one\r\n");
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& file :
       std::filesystem::directory_iterator(folder.file("content"))) {
    ++count;
  }
  REQUIRE(count == 1);
  REQUIRE((*record)->failure().empty());
}

TEST_CASE("record: lines are added to a record, and to no other file") {
  const Folder folder;
  const std::string path = folder.file("record");
  for (const std::string old : {"", "{\"sess", "{\"session\":1,\"message\":1}\n"}) {
    std::ofstream(path, std::ios::trunc) << old;
    REQUIRE(Record::open(path, {}));
  }
  for (const std::string other : {"x", "{\"id\":\"a\"}\n", "\x7f\x45LF", "\n", "[]"}) {
    std::ofstream(path, std::ios::trunc) << other;
    const auto record = Record::open(path, {});
    REQUIRE_FALSE(record);
    REQUIRE(record.error().starts_with(path + ": it holds something else than a record"));
    REQUIRE(text_of(path) == other);
  }
}

TEST_CASE("record: what cannot be written is said, once and for all") {
  REQUIRE_FALSE(Record::open("/nonexistent/record", {}));
  auto record = Record::open("/dev/full", {});
  REQUIRE(record);
  RecordBuffer buffer(**record);
  buffer.text() += "line\n";
  buffer.flush();
  REQUIRE((*record)->failure() == "/dev/full: No space left on device");
  REQUIRE(buffer.empty());
}
