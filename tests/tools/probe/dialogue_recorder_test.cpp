#include "tools/probe/dialogue_recorder.h"

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::cli;

namespace {

const codec::Credentials credentials{"mailer", "correct horse"};
constexpr Bytes plain_response = "AG1haWxlcgBjb3JyZWN0IGhvcnNl";

}  // namespace

TEST_CASE("dialogue recorder: any split of the server's octets gives the same lines and replies") {
  const std::string octets = "220 hello\r\n250-mx\r\n250 SIZE 1\n535 5.7.8 no\r\n";
  for (std::size_t piece = 1; piece <= octets.size(); ++piece) {
    PortFinding finding;
    DialogueRecorder recorder(finding, credentials);
    std::vector<SmtpAnswer> answers;
    for (std::size_t begin = 0; begin < octets.size(); begin += piece) {
      for (SmtpAnswer& answer : recorder.server(Bytes(octets).substr(begin, piece), 1)) {
        answers.push_back(std::move(answer));
      }
    }
    REQUIRE(answers.size() == 3);
    CHECK(answers[1].code == 250);
    CHECK(answers[1].text == "mx\nSIZE 1");
    CHECK(answers[2].enhanced == "5.7.8");
    REQUIRE(finding.transcript.size() == 4);
    CHECK(finding.transcript[2].text == "250 SIZE 1");
  }
}

TEST_CASE("dialogue recorder: what belongs to AUTH is left out") {
  PortFinding finding;
  DialogueRecorder recorder(finding, credentials);
  recorder.client("EHLO me\r\n", false, 0);
  recorder.client("AUTH PLAIN " + std::string(plain_response) + "\r\n", true, 0);
  recorder.client("AUTH LOGIN\r\n", true, 0);
  recorder.client("bWFpbGVy\r\n", true, 0);
  std::vector<std::string> texts;
  for (const TranscriptLine& line : finding.transcript) {
    texts.push_back(line.text);
  }
  CHECK(texts ==
        std::vector<std::string>{"EHLO me", "AUTH PLAIN [redacted]", "AUTH LOGIN", "[redacted]"});
}

TEST_CASE("dialogue recorder: a server that repeats the secret is kept without it") {
  PortFinding finding;
  DialogueRecorder recorder(finding, credentials);
  // The second is cut in the middle of the secret when it is shortened.
  const std::string line = "535 " + std::string(500, 'x') + std::string(plain_response) + "\r\n";
  const auto answers = recorder.server("535-you said correct horse\r\n" + line, 0);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].text.find("horse") == std::string::npos);
  CHECK(answers[0].text.find(plain_response) == std::string::npos);
  for (const TranscriptLine& kept : finding.transcript) {
    CHECK(kept.text.find("horse") == std::string::npos);
    CHECK(kept.text.find("AG1ha") == std::string::npos);
  }
}

TEST_CASE(
    "dialogue recorder: lines are bounded in number and length, and nothing follows rubbish") {
  PortFinding finding;
  DialogueRecorder recorder(finding, credentials);
  CHECK(recorder.server("rubbish\r\n220 late\r\n", 0).empty());
  for (int line = 0; line < 2000; ++line) {
    CHECK(recorder.server(std::string(2000, 'a') + "\n", 0).empty());
  }
  CHECK(finding.transcript.size() == 400);
  CHECK(finding.transcript[5].text.size() == 512);
  CHECK(finding.transcript_cut);
}

TEST_CASE("dialogue recorder: a line whose end never came is kept at the end") {
  PortFinding finding;
  DialogueRecorder recorder(finding, credentials);
  CHECK(recorder.server("220 hal", 1).empty());
  CHECK(finding.transcript.empty());
  recorder.begin_tls();
  recorder.finish(2);
  REQUIRE(finding.transcript.size() == 1);
  CHECK(finding.transcript[0].text == "220 hal");
}
