#include "tools/send/sample_jobs.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/job/job_reader.h"

namespace ringpost::cli {

namespace {

struct Sample {
  Message job;
  std::string error;  // empty: it is valid
};

std::vector<Sample> read_samples(std::size_t count) {
  const std::string lines = sample_jobs(count) + std::string(codec::JobReader::padding_bytes, ' ');
  codec::JobReader reader({});
  std::vector<Sample> samples;
  std::size_t at = 0;
  for (std::size_t end = lines.find('\n'); end != std::string::npos; end = lines.find('\n', at)) {
    Sample& sample = samples.emplace_back();
    const codec::Source where{"samples", samples.size(), 0};
    const auto parsed = reader.parse(Bytes(lines).substr(at, end - at), where, sample.job);
    sample.error = parsed ? std::string() : parsed.error().message();
    at = end + 1;
  }
  return samples;
}

}  // namespace

TEST_CASE("sample jobs: there are as many lines as were asked for, each with an id of its own") {
  for (const std::size_t count : {0u, 1u, 3u, 6u, 7u, 100u}) {
    const std::vector<Sample> samples = read_samples(count);
    CHECK(samples.size() == count);
    std::set<std::string> ids;
    for (const Sample& sample : samples) {
      ids.insert(sample.job.id);
    }
    CHECK(ids.size() == count);
  }
}

TEST_CASE("sample jobs: all are valid but the one that is meant not to be") {
  for (const Sample& sample : read_samples(200)) {
    INFO(sample.job.id << ": " << sample.error);
    CHECK(sample.error.empty() == (sample.job.id != "not-valid"));
    CHECK(sample.job.recipients.size() > 0);
  }
}

TEST_CASE("sample jobs: each kind is what it says") {
  std::map<std::string, Sample> samples;
  for (Sample& sample : read_samples(10)) {
    samples[sample.job.id] = std::move(sample);
  }
  CHECK(samples.at("not-valid").error.find("to") != std::string::npos);
  CHECK(samples.at("hello").job.content.text().find("this is plain text.") != std::string::npos);
  const Message& html = samples.at("html").job;
  CHECK(html.content.text().find("multipart/alternative") != std::string::npos);
  CHECK(html.content.text().find("List-Unsubscribe-Post: List-Unsubscribe=One-Click") !=
        std::string::npos);
  CHECK_FALSE(html.content.traits().has_8bit);
  CHECK(html.tags_json == R"(["weekly"])");
  const Message& finished = samples.at("finished").job;
  CHECK(finished.sender == "bounce+3@example.com");
  CHECK(finished.content.traits().needs_stuffing());
  CHECK(samples.at("several").job.recipients.size() == 3);
  // The embedded ESP refuses by these names.
  CHECK(samples.at("several").job.recipients[1].starts_with("reject"));
  CHECK(samples.at("several").job.recipients[2].starts_with("defer"));
  CHECK(samples.at("refused-in-the-end").job.recipients[0].starts_with("reject-data"));
  CHECK(samples.at("weekly-4").job.recipients[0] == "reader4@example.net");
}

}  // namespace ringpost::cli
