#include "tools/bench/time_record.h"

#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/temporary_folder.h"

using namespace std::chrono_literals;

namespace ringpost::cli {
namespace {

TimeSummary of(const TimeRecord& record, Series series) {
  return record.summaries()[static_cast<std::size_t>(series)];
}

TEST_CASE("time record: percentiles are those of what was counted, over all collections") {
  TimeRecord record(nullptr, "");
  record.begin_measuring();
  for (int ms = 1; ms <= 1000; ++ms) {
    record.note(Series::latency, std::chrono::milliseconds(ms));
    if (ms % 100 == 0) {
      record.collect(ms * 1000);
    }
  }
  const TimeSummary latency = of(record, Series::latency);
  CHECK(latency.count == 1000);
  CHECK(latency.min == 1000);
  for (std::size_t i = 0; i < percentiles.size(); ++i) {
    const double wanted = percentiles[i].percent * 10'000;
    CHECK(static_cast<double>(latency.at[i]) >= wanted * 0.999);
    CHECK(static_cast<double>(latency.at[i]) <= wanted * 1.001 + 1000);
  }
  CHECK(of(record, Series::eod).count == 0);
}

TEST_CASE("time record: before the measuring only what opens a session counts") {
  TimeRecord record(nullptr, "");
  for (const Series series :
       {Series::connect, Series::tls, Series::auth, Series::mail, Series::eod, Series::latency}) {
    record.note(series, 1ms);
  }
  record.begin_measuring();
  record.note(Series::mail, 1ms);
  record.collect(0);
  CHECK(of(record, Series::connect).count == 1);
  CHECK(of(record, Series::tls).count == 1);
  CHECK(of(record, Series::auth).count == 1);
  CHECK(of(record, Series::mail).count == 1);
  CHECK(of(record, Series::eod).count == 0);
  CHECK(of(record, Series::latency).count == 0);
}

TEST_CASE("time record: no time and days are as good as the bounds") {
  TimeRecord record(nullptr, "");
  record.begin_measuring();
  record.note(Series::latency, -1s);
  record.note(Series::latency, 48h);
  record.collect(0);
  const TimeSummary latency = of(record, Series::latency);
  CHECK(latency.min == 0);
  CHECK(latency.max >= 3'596'000'000);
  CHECK(latency.max <= 3'604'000'000);
}

TEST_CASE("time record: the log has a line for each series that was counted since the last one") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("times.hlog");
  auto log = HistogramLog::open(path, 1'000'000);
  REQUIRE(log.has_value());
  TimeRecord record(log->get(), "size=1k/");
  record.begin_measuring();
  record.note(Series::latency, 5ms);
  record.collect(2'000'000);
  record.collect(3'000'000);
  record.note(Series::eod, 7ms);
  record.collect(4'500'000);
  REQUIRE((*log)->close().has_value());
  const std::string text = folder.read("times.hlog");
  CHECK(text.find("\nTag=size=1k/latency,0.000,1.000,") != std::string::npos);
  CHECK(text.find("\nTag=size=1k/eod,2.000,1.500,") != std::string::npos);
  CHECK(text.find("Tag=size=1k/latency,", text.find("latency,") + 1) == std::string::npos);
}

TEST_CASE("time record: a log that cannot be made is an error with its name") {
  const auto log = HistogramLog::open("/nonexistent/times.hlog", 0);
  REQUIRE_FALSE(log.has_value());
  CHECK(log.error().find("/nonexistent/times.hlog") != std::string::npos);
}

}  // namespace
}  // namespace ringpost::cli
