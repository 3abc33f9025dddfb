// Every session of tests/transcripts is replayed with its octets delivered in many ways, and must
// come out the same in all of them. Then the replaying itself is tried: a transcript that is wrong
// must not pass.
#include "tests/support/transcript.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using test::Splitting;
using test::Transcript;

namespace {

struct TranscriptFile {
  std::string name;
  std::string error;
  std::vector<Transcript> transcripts;
};

TranscriptFile read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  auto transcripts = test::parse_transcripts(text);
  if (!transcripts) {
    return {path.filename().string(), transcripts.error(), {}};
  }
  return {path.filename().string(), "", std::move(*transcripts)};
}

// Read once: a test case with sections begins anew for each of them.
const std::vector<TranscriptFile>& transcript_files() {
  static const std::vector<TranscriptFile> all = [] {
    std::vector<TranscriptFile> files;
    for (const auto& file : std::filesystem::directory_iterator(RINGPOST_TRANSCRIPTS)) {
      if (file.path().extension() == ".smtp") {
        files.push_back(read_file(file.path()));
      }
    }
    std::sort(files.begin(), files.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return files;
  }();
  return all;
}

// Every position, but for the inner stretch of replies that are long on purpose.
std::vector<std::size_t> cuts_of(const Transcript& transcript) {
  constexpr std::size_t dense_bytes = 1500;
  const std::size_t size = transcript.server_bytes();
  std::vector<std::size_t> cuts;
  for (std::size_t cut = 1; cut < size; ++cut) {
    if (cut < dense_bytes || size - cut < dense_bytes || cut % 1009 == 0) {
      cuts.push_back(cut);
    }
  }
  return cuts;
}

void check(const Transcript& transcript, const Splitting& splitting) {
  const std::string difference = replay(transcript, splitting);
  if (!difference.empty()) {
    FAIL("line " << difference << "\n  " << splitting.text());
  }
}

void check_all_deliveries(const Transcript& transcript) {
  check(transcript, {});
  for (const std::size_t room : {1024u, 1025u, 4096u, 65536u}) {
    check(transcript, {.room_bytes = room});
    check(transcript, {.room_bytes = room, .eager = true});
    check(transcript, {.piece_bytes_max = 1, .room_bytes = room});
    check(transcript, {.room_bytes = room, .content_pieces = 3});
  }
  for (const std::size_t cut : cuts_of(transcript)) {
    check(transcript, {.cut = cut, .eager = cut % 2 == 0});
  }
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    check(transcript,
          {.piece_bytes_max = seed * 3, .seed = seed, .room_bytes = 0, .eager = seed % 2 == 0});
  }
}

// The difference that a replay finds in a session written here; a parse error counts too.
std::string difference_in(const std::string& text) {
  const auto transcripts = test::parse_transcripts("== x\n" + text);
  return transcripts ? replay(transcripts->front(), {}) : transcripts.error();
}

constexpr const char* greeted = "@ greeted PIPELINING\n@ submit one to=r@b.example content=\"x\"\n";
constexpr const char* group =
    "C: MAIL FROM:<sender@a.example>\nC: RCPT TO:<r@b.example>\nC: DATA\n";

}  // namespace

TEST_CASE("transcripts: any delivery of the octets gives the same session") {
  for (const TranscriptFile& file : transcript_files()) {
    for (const Transcript& transcript : file.transcripts) {
      DYNAMIC_SECTION(file.name << ": " << transcript.title) { check_all_deliveries(transcript); }
    }
  }
}

TEST_CASE("transcripts: all files parse, and titles are distinct within a file") {
  std::size_t sessions = 0;
  for (const TranscriptFile& file : transcript_files()) {
    INFO(file.name << ":" << file.error);
    CHECK(file.error.empty());
    std::set<std::string> titles;
    for (const Transcript& transcript : file.transcripts) {
      CHECK(titles.insert(transcript.title).second);
      ++sessions;
    }
  }
  CHECK(sessions >= 100);
}

TEST_CASE("transcripts: a session that goes as written has no difference") {
  CHECK(difference_in(std::string(greeted) + group) == "");
}

TEST_CASE("transcripts: other client octets are a difference") {
  CHECK(difference_in(std::string(greeted) + "C: MAIL FROM:<other@a.example>\nC...\n") != "");
}

TEST_CASE("transcripts: client octets that are not written are a difference") {
  CHECK(difference_in(std::string(greeted) + "C: MAIL FROM:<sender@a.example>\n") != "");
  CHECK(difference_in(std::string(greeted) + "C: MAIL FROM:<sender@a.example>\nC...\n") == "");
}

TEST_CASE("transcripts: client octets that do not come are a difference") {
  CHECK(difference_in(std::string(greeted) + group + "C: QUIT\n") != "");
}

TEST_CASE("transcripts: verdicts must be foretold, in order and in full") {
  const std::string refused =
      std::string(greeted) + group + "S: 250 ok\nS: 550 5.1.1 nobody\nS: 503 no\n";
  CHECK(difference_in(refused) != "");
  CHECK(difference_in(refused + "= one r@b.example rejected rcpt 550 5.1.1 nobody\n") == "");
  CHECK(difference_in(refused + "= one r@b.example rejected rcpt 550 5.1.1\n") == "");
  CHECK(difference_in(refused + "= one r@b.example rejected rcpt 550 5.1.1 somebody\n") != "");
  CHECK(difference_in(refused + "= one r@b.example rejected rcpt 550\n") != "");
  CHECK(difference_in(refused + "= one r@b.example deferred rcpt 550 5.1.1\n") != "");
  CHECK(difference_in(refused + "= one r@b.example rejected data 550 5.1.1\n") != "");
  CHECK(difference_in(refused + "= one r@b.example rejected rcpt 550 5.1.1\n" +
                      "= one r@b.example rejected rcpt 550 5.1.1\n") != "");
}

TEST_CASE("transcripts: the end must be foretold, and come") {
  CHECK(difference_in("S: 554 no\n") != "");
  CHECK(difference_in("S: 554 no\n! closed for good greeting_refused greeting 554\n") == "");
  CHECK(difference_in("S: 554 no\n! closed greeting_refused greeting 554\n") != "");
  CHECK(difference_in("S: 220 hi\nC: EHLO client.example\n! closed peer_closed ehlo\n") != "");
}

TEST_CASE("transcripts: deadlines are exact") {
  CHECK(difference_in("@ timeout 300s\n! closed timeout greeting\n") == "");
  CHECK(difference_in("@ timeout 299s\n! closed timeout greeting\n") != "");
  CHECK(difference_in("@ wait 301s\n") != "");
}

TEST_CASE("transcripts: nonsense does not parse, and the line is named") {
  CHECK(difference_in("S: x\nfoo\n").starts_with("3:"));
  CHECK(difference_in("tls maybe\n").starts_with("2:"));
  CHECK(difference_in("@ dance\n") != "");
  CHECK(difference_in("@ submit one from=a@b.example\n") != "");
  CHECK(difference_in("@ submit one to=a@b.example content=\"x\n") != "");
  CHECK(difference_in("@ resubmit one\n") != "");
  CHECK(difference_in("@ wait 5m\n") != "");
  CHECK(difference_in("S: \\q\n") != "");
  CHECK(difference_in("S: \\(a*x)\n") != "");
  CHECK(difference_in("S*x: a\n") != "");
  CHECK(!test::parse_transcripts("S: 220\n"));
  CHECK(!test::parse_transcripts(""));
}

TEST_CASE("transcripts: escapes and repetitions stand for octets") {
  const auto transcripts =
      test::parse_transcripts("== x\nS> a\\r\\n\\0\\x7f\\\\\nS*2: \\(b\\t*3)\nC> \\\"\n");
  REQUIRE(transcripts);
  const auto& steps = transcripts->front().steps;
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].octets == std::string("a\r\n\0\x7f\\", 6) + "b\tb\tb\t\r\nb\tb\tb\t\r\n");
  CHECK(steps[1].octets == "\"");
}
