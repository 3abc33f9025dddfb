#include "tools/bench/threshold.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

#include "tools/bench/bench_report.h"

namespace ringpost::cli {
namespace {

// A hundred recipients of whom 99 were accepted, in ten seconds; percentiles of latency are
// 1 to 7 ms, and of the end of data ten times that.
BenchFinding finding_with_times() {
  BenchFinding finding;
  finding.seconds = 10;
  finding.messages_answered = 100;
  finding.recipients[static_cast<std::size_t>(Status::accepted)] = 99;
  finding.recipients[static_cast<std::size_t>(Status::rejected)] = 1;
  for (const auto& [series, factor] : {std::pair(Series::latency, 1), std::pair(Series::eod, 10)}) {
    TimeSummary& times = finding.times[static_cast<std::size_t>(series)];
    times = {.count = 100, .min = 500, .mean = 2500, .at = {}, .max = 9000};
    for (std::size_t i = 0; i < percentiles.size(); ++i) {
      times.at[i] = static_cast<std::int64_t>(i + 1) * 1000 * factor;
    }
  }
  return finding;
}

bool holds(const std::string& text) {
  const auto thresholds = parse_thresholds(text);
  REQUIRE(thresholds.has_value());
  REQUIRE(thresholds->size() == 1);
  return thresholds->front().is_held_by(finding_with_times());
}

TEST_CASE("threshold: each relation is what it says at its border") {
  CHECK(holds("p50<1.001ms"));
  CHECK_FALSE(holds("p50<1ms"));
  CHECK(holds("p50<=1ms"));
  CHECK_FALSE(holds("p50>1ms"));
  CHECK(holds("p50>=1ms"));
  CHECK(holds(" p99.99 < 7.5ms "));
  CHECK_FALSE(holds("p99.9<6ms"));
}

TEST_CASE("threshold: times may be of any series, and shares and rates of none") {
  CHECK(holds("eod.p50>=10ms"));
  CHECK(holds("eod.p99.99<=70ms"));
  CHECK(holds("latency.max<=9ms"));
  CHECK(holds("eod.min<1ms"));
  CHECK(holds("mean<3ms"));
  CHECK(holds("accepted>=99%"));
  CHECK_FALSE(holds("accepted>99%"));
  CHECK(holds("rate>=10/s"));
  CHECK_FALSE(holds("rate>10"));
}

TEST_CASE("threshold: what was not timed holds nothing") {
  CHECK_FALSE(holds("auth.p50<1h"));
  CHECK_FALSE(holds("auth.p50>0ms"));
}

TEST_CASE("threshold: messages that were due and not begun are not accepted") {
  BenchFinding finding = finding_with_times();
  finding.not_begun = 100;
  CHECK(finding.accepted_share() == 99.0 / 200);
}

TEST_CASE("threshold: several stand behind one another in their order") {
  const auto thresholds = parse_thresholds("p99<250ms, accepted>99.9%,rate>=900/s");
  REQUIRE(thresholds.has_value());
  REQUIRE(thresholds->size() == 3);
  CHECK((*thresholds)[0].limit == 250'000);
  CHECK((*thresholds)[1].about == Threshold::About::accepted);
  CHECK((*thresholds)[1].text == "accepted>99.9%");
  CHECK((*thresholds)[2].measured_text(finding_with_times()) == "10.0/s");
}

TEST_CASE("threshold: whatever is not understood is no threshold, and is quoted") {
  for (const char* const text :
       {"", "p99", "p99<", "p98<1s", "p99<250", "p99<1s,", "accepted>2", "accepted>101%", "rate>x",
        "eod.accepted>1%", "eod.rate>1", "nothing.p99<1s", "p99=1s", "p99<<1s", "<1s"}) {
    CAPTURE(text);
    const auto thresholds = parse_thresholds(text);
    REQUIRE_FALSE(thresholds.has_value());
    CHECK(thresholds.error().find('"') != std::string::npos);
  }
}

TEST_CASE("report: a share that is not all is never a hundred percent") {
  CHECK(share_text(1) == "100 %");
  CHECK(share_text(0.9999999) == "99.99 %");
  CHECK(share_text(0.5) == "50.00 %");
  CHECK(micros_text(412) == "0.412 ms");
  CHECK(micros_text(31'460) == "31.5 ms");
  CHECK(micros_text(1'210'000) == "1.21 s");
}

}  // namespace
}  // namespace ringpost::cli
