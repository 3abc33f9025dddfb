#include "tools/bench/comparison.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/temporary_folder.h"
#include "tools/bench/bench_file.h"
#include "tools/bench/bench_report.h"

namespace ringpost::cli {
namespace {

BenchFinding finding_at(std::int64_t p99_us, double per_second) {
  BenchFinding finding;
  finding.seconds = 1;
  finding.messages_answered = static_cast<std::uint64_t>(per_second);
  finding.recipients[static_cast<std::size_t>(Status::accepted)] = finding.messages_answered;
  TimeSummary& latency = finding.times[static_cast<std::size_t>(Series::latency)];
  latency.count = finding.messages_answered;
  latency.at.fill(p99_us);
  return finding;
}

bool is_worse(std::int64_t now_us, double now_rate, std::int64_t base_us, double base_rate) {
  return compare(finding_at(now_us, now_rate), {finding_at(base_us, base_rate)}, 0.1).is_worse();
}

TEST_CASE("comparison: worse is what exceeds the tolerance, and better never is") {
  CHECK_FALSE(is_worse(10'000, 1000, 10'000, 1000));
  CHECK_FALSE(is_worse(10'900, 950, 10'000, 1000));
  CHECK(is_worse(11'100, 1000, 10'000, 1000));
  CHECK(is_worse(10'000, 890, 10'000, 1000));
  CHECK_FALSE(is_worse(1'000, 5000, 10'000, 1000));
}

TEST_CASE("comparison: a wide tolerance finds a rate that fell by more") {
  const auto is_worse_than_half = [](double now_rate) {
    return compare(finding_at(10'000, now_rate), {finding_at(10'000, 1000)}, 1).is_worse();
  };
  CHECK_FALSE(is_worse_than_half(510));
  CHECK(is_worse_than_half(490));
}

TEST_CASE("comparison: a tenth of a millisecond is noise") {
  CHECK_FALSE(is_worse(190, 1000, 100, 1000));
  CHECK(is_worse(250, 1000, 100, 1000));
}

TEST_CASE("comparison: fewer that are accepted are worse") {
  BenchFinding finding = finding_at(100, 1000);
  finding.recipients[static_cast<std::size_t>(Status::rejected)] = 500;
  CHECK(compare(finding, {finding_at(100, 1000)}, 0.1).is_worse());
}

TEST_CASE("comparison: a run without its like in the base says so") {
  BenchFinding finding = finding_at(100, 1000);
  finding.varied = "10";
  const Comparison comparison = compare(finding, {finding_at(100, 1000)}, 0.1);
  CHECK_FALSE(comparison.has_base);
  CHECK(comparison.figures.empty());
}

TEST_CASE("bench file: what the report has written is read back") {
  BenchFinding finding = finding_at(12'345, 1000);
  finding.varied = "10";
  finding.is_open_loop = true;
  finding.not_begun = 7;
  BenchSettings settings;
  settings.varied = "connections";
  settings.endpoint.draft.options.name = "esp";
  const std::vector<BenchFinding> findings = {finding, finding_at(3, 10)};
  const test::TemporaryFolder folder;
  const std::string path = folder.write(
      "b.json", bench_json({.settings = settings, .findings = findings, .machine = {.cpu = "x"}}));
  CHECK(is_bench_file(path));
  const auto read = read_bench_file(path);
  REQUIRE(read.has_value());
  CHECK(read->varied == "connections");
  CHECK(read->endpoint == "esp");
  CHECK(read->machine.cpu == "x");
  REQUIRE(read->runs.size() == 2);
  const BenchFinding& again = read->runs.front();
  CHECK(again.varied == "10");
  CHECK(again.is_open_loop);
  CHECK(again.of(Series::latency).at == finding.of(Series::latency).at);
  CHECK(again.of(Series::eod).count == 0);
  CHECK(again.messages_per_second() == 1000);
  CHECK(again.accepted_share() == finding.accepted_share());
  CHECK_FALSE(compare(finding, read->runs, 0).is_worse());
}

TEST_CASE("bench file: what is no benchmark is an error, and what is odd in one is nothing") {
  const test::TemporaryFolder folder;
  for (const char* const text : {"{\"summary\":{}}", "{\"bench\":{\"runs\":{}}}",
                                 "{\"bench\":{\"runs\":[", "[]", "1", "\n"}) {
    CAPTURE(text);
    CHECK_FALSE(read_bench_file(folder.write("b.json", text)).has_value());
  }
  CHECK_FALSE(read_bench_file("/nonexistent").has_value());
  CHECK_FALSE(read_bench_file("/dev/null").has_value());
  CHECK_FALSE(is_bench_file("/dev/null"));
  const auto read = read_bench_file(folder.write(
      "b.json", R"({"bench":{"runs":[{"seconds":-1,"connections":1e300,"recipients":[],)"
                R"("times_ms":{"latency":{"count":1e99,"p50":"x"}}},null,3]}})"));
  REQUIRE(read.has_value());
  CHECK(read->runs.size() == 3);
  CHECK(read->runs.front().messages_per_second() == 0);
}

}  // namespace
}  // namespace ringpost::cli
