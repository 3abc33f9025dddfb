#include "tools/bench/comparison.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

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

BaseRun base_at(double p99_us, double per_second) {
  return {.varied = "",
          .messages_per_second = per_second,
          .accepted_share = 1,
          .p50 = p99_us,
          .p99 = p99_us,
          .p999 = p99_us};
}

bool is_worse(std::int64_t now_us, double now_rate, double base_us, double base_rate) {
  return compare(finding_at(now_us, now_rate), {base_at(base_us, base_rate)}, 0.1).is_worse();
}

TEST_CASE("comparison: worse is what exceeds the tolerance, and better never is") {
  CHECK_FALSE(is_worse(10'000, 1000, 10'000, 1000));
  CHECK_FALSE(is_worse(10'900, 950, 10'000, 1000));
  CHECK(is_worse(11'100, 1000, 10'000, 1000));
  CHECK(is_worse(10'000, 890, 10'000, 1000));
  CHECK_FALSE(is_worse(1'000, 5000, 10'000, 1000));
}

TEST_CASE("comparison: a tenth of a millisecond is noise") {
  CHECK_FALSE(is_worse(190, 1000, 100, 1000));
  CHECK(is_worse(250, 1000, 100, 1000));
}

TEST_CASE("comparison: fewer that are accepted are worse") {
  BenchFinding finding = finding_at(100, 1000);
  finding.recipients[static_cast<std::size_t>(Status::rejected)] = 500;
  CHECK(compare(finding, {base_at(100, 1000)}, 0.1).is_worse());
}

TEST_CASE("comparison: a run without its like in the base says so") {
  BenchFinding finding = finding_at(100, 1000);
  finding.varied = "10";
  const Comparison comparison = compare(finding, {base_at(100, 1000)}, 0.1);
  CHECK_FALSE(comparison.has_base);
  CHECK(comparison.figures.empty());
}

TEST_CASE("comparison: a base that is no file, or no benchmark, is an error") {
  CHECK_FALSE(read_base("/nonexistent").has_value());
  CHECK_FALSE(read_base("/dev/null").has_value());
}

}  // namespace
}  // namespace ringpost::cli
