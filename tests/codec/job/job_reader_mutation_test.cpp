// Lines that are damaged in every way, from a printed seed: whatever is accepted must be clean.
#include <array>
#include <random>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "codec/mail/address.h"
#include "codec/text/json_echo.h"
#include "codec/text/utf8.h"
#include "tests/codec/job/job_reader_support.h"
#include <ringpost/limits.h>

using namespace ringpost;
using namespace ringpost::codec;
using namespace ringpost::test;

namespace {

constexpr std::array<Bytes, 4> good_lines = {
    R"({"id":"u-1","envelope":{"from":"b@x.example","to":["c@d","e@f"],"dsn":{"notify":["DELAY"],)"
    R"("ret":"FULL","envid":"q"}},"raw":"Subject: \u00e4\r\n\r\n.x\r\n","metadata":{"a":[1,{}]}})",
    R"({"from":"N <a@b>","to":["c@d",{"email":"e@f","name":"\ud83d\ude00"}],"subject":"\u00dfe",)"
    R"("text":"a\nb\n","html":"<p>","headers":{"X-A":["1","2"]},"tags":["t"]})",
    R"({"from":"a@b","to":"c@d","text":"x","attachments":[{"filename":"a.txt","content":"eA==",)"
    R"("content_type":"text/plain; a=b","cid":"c"}],"expires_at":1795219200})",
    R"({"from":"a@b","to":"c@d","raw_base64":"U3ViamVjdDog5A0KDQp4DQo=","tags":"x"})"};

constexpr std::array<Bytes, 24> splinters = {
    "\"",      "\\",      "{",       "}",        "[",    "]",    ",",       ":",
    "\\u0000", "\\ud800", "\\r",     "\\n",      "\r",   "\xff", "null",    "1e400",
    "<>",      "@",       "\"to\":", "\"raw\":", "\xc3", "true", "\\u0022", " "};

void damage(std::string& line, std::mt19937& random) {
  for (unsigned count = random() % 4 + 1; count > 0 && !line.empty(); --count) {
    const std::size_t at = random() % line.size();
    switch (random() % 5) {
      case 0:
        line[at] = static_cast<char>(random());
        break;
      case 1:
        line.erase(at, random() % 8);
        break;
      case 2:
        line.insert(at, splinters[random() % splinters.size()]);
        break;
      case 3:
        line.insert(at, line, random() % line.size(), random() % 30);
        break;
      default:
        line.resize(at);
        break;
    }
  }
}

bool is_clean(const Message& job) {
  bool clean = !job.id.empty() && !job.recipients.empty() &&
               job.content.bytes() <= limits::message_bytes_max;
  clean = clean && (job.sender.empty() || validate_address(job.sender, MailboxUse::reverse_path));
  for (std::size_t i = 0; i < job.recipients.size(); ++i) {
    clean = clean && validate_address(job.recipients[i]);
  }
  std::string content = job.content.text();
  const auto traits = canonicalise(content, NewlinePolicy::strict);
  clean = clean && traits && *traits == job.content.traits();
  for (const std::string* json : {&job.tags_json, &job.metadata_json}) {
    clean = clean && (json->empty() || check_json(*json, limits::job_depth_max)) &&
            json->find('\n') == std::string::npos;
  }
  return clean;
}

}  // namespace

TEST_CASE("job_reader: what is accepted of damaged lines is clean JSON and a clean job") {
  constexpr unsigned seed = 20261120;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  JobReader reader({});
  std::size_t accepted = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string line(good_lines[random() % good_lines.size()]);
    damage(line, random);
    const Reading reading = read_with(reader, line);
    if (reading.error) {
      if (reading.error->reason.empty() || reading.job.id.empty()) {
        FAIL(line);
      }
      continue;
    }
    ++accepted;
    if (!is_utf8(line) || !check_json(line, limits::job_depth_max) || !is_clean(reading.job)) {
      FAIL(line);
    }
  }
  CHECK(accepted > 1000);
}
