// The steady state of the reader and of the writer takes no memory. A program of its own, because
// it counts every allocation there is.
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "codec/job/job_reader.h"
#include "codec/job/outcome_writer.h"
#include "tests/support/counted_new.h"

using namespace ringpost;
using namespace ringpost::codec;

namespace {

// Allocations of reading the line again and writing its outcome, once both have seen it.
std::size_t allocations_of(std::string line) {
  const std::size_t bytes = line.size();
  line.append(JobReader::padding_bytes, ' ');
  JobReader reader({});
  OutcomeWriter writer;
  Message job;
  std::string lines;
  std::size_t before = 0;
  for (int round = 0; round < 10; ++round) {
    before = round == 2 ? test::allocations_so_far() : before;
    job.clear();
    lines.clear();
    const auto parsed = reader.parse(Bytes(line.data(), bytes), {"jobs.jsonl", 2, 0}, job);
    RP_ASSERT(parsed);
    writer.append(lines, job, 0, Outcome{});
  }
  return test::allocations_so_far() - before;
}

std::string body() {
  std::string text = "Subject: x\\r\\n\\r\\n";
  while (text.size() < 2000) {
    text += "A line of some seventy octets, as people and their editors write them.\\r\\n";
  }
  return text;
}

}  // namespace

TEST_CASE("job_reader: a raw job of 2 KB takes no allocation in the steady state") {
  CHECK(allocations_of(R"({"id":"u-1001-2026-11-20-weekly-47","envelope":{"from":)"
                       R"("bounce+1001@news.example.com","to":["somebody.else@example.net"]},)"
                       R"("tags":["weekly-47"],"metadata":{"subscriber":1001},"raw":")" +
                       body() + "\"}") == 0);
}

TEST_CASE("job_reader: a raw job without id takes none either") {
  CHECK(allocations_of(R"({"from":"a@b","to":"c@d","raw":")" + body() + "\"}") == 0);
}

TEST_CASE("job_reader: a composed job without attachments takes none either") {
  CHECK(allocations_of(R"({"from":"News <news@example.com>","to":"Somebody <ann@example.net>",)"
                       R"("subject":"A subject of some length, longer than a small string",)"
                       R"("headers":{"List-Unsubscribe":"<https://example.com/u/1001>"},)"
                       R"("text":"Hi","html":")" +
                       body() + "\"}") == 0);
}
