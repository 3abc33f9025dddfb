// Goal: a forecast is what arithmetic says where there is arithmetic for it, and holds every
// window.
#include "tools/plan/run_forecast.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

#include "queue/quota_memory.h"
#include "tools/plan/plan_finding.h"
#include "tools/plan/plan_report.h"

using namespace ringpost;
using namespace ringpost::cli;
using namespace std::chrono_literals;

namespace {

const Instant begin = Instant(100h);

QuotaLimit limit_of(std::uint64_t amount, QuotaPeriod period,
                    QuotaUnit unit = QuotaUnit::messages) {
  return {
      .unit = unit, .period = period, .window = {.amount = amount, .length = length_of(period)}};
}

ForecastResult forecast(ForecastOptions options, std::uint64_t messages,
                        std::uint64_t recipients = 1) {
  options.start = begin;
  queue::PrivateQuotaMemory memory;
  RunForecast run(options, memory);
  for (std::uint64_t n = 0; n < messages; ++n) {
    run.add({.messages = 1, .recipients = recipients, .octets = 1000});
  }
  return run.result();
}

bool is_near(Duration found, Duration wanted, double share = 0.03) {
  const double ratio = std::chrono::duration<double>(found) / std::chrono::duration<double>(wanted);
  INFO(ratio);
  CHECK(ratio > 1 - share);
  CHECK(ratio < 1 + share);
  return ratio > 1 - share && ratio < 1 + share;
}

}  // namespace

TEST_CASE("forecast: without a rate, sessions and replies decide") {
  ForecastOptions options{.sessions = 10, .reply_time = 50ms, .opening_replies = 4};
  options.way = ForecastWay::lock_step;
  CHECK(is_near(forecast(options, 10'000).duration, 10'000 / 10 * 200ms));
  CHECK(is_near(forecast(options, 2'000, 7).duration, 2'000 / 10 * 500ms));
  options.way = ForecastWay::within;
  CHECK(is_near(forecast(options, 10'000).duration, 10'000 / 10 * 100ms));
  options.way = ForecastWay::across;
  const ForecastResult found = forecast(options, 10'000);
  CHECK(is_near(found.duration, 10'000 / 10 * 50ms));
  CHECK(found.bound == ForecastBound::connections);
  CHECK(found.binding == SIZE_MAX);
  options.way = ForecastWay::flights;
  options.flight_messages = 32;
  CHECK(is_near(forecast(options, 320'000).duration, 320'000 / 320 * 50ms));
}

TEST_CASE("forecast: sessions that end cost their opening and their goodbye") {
  ForecastOptions options{.sessions = 10,
                          .session_messages_max = 5,
                          .way = ForecastWay::lock_step,
                          .reply_time = 50ms,
                          .opening_replies = 4};
  // Five messages of 200 ms, QUIT, and four replies until the next one is ready.
  CHECK(is_near(forecast(options, 10'000).duration, 10'000 / 50 * 1250ms));
  options.has_successors = true;
  CHECK(is_near(forecast(options, 10'000).duration, 10'000 / 50 * 1000ms));
}

TEST_CASE("forecast: a rate decides where it is lower than what sessions can do") {
  ForecastOptions options{
      .rates = {limit_of(30, QuotaPeriod::minute)}, .sessions = 3, .reply_time = 50ms};
  const ForecastResult found = forecast(options, 3'000);
  CHECK(is_near(found.duration, 100min, 0.01));
  CHECK(found.bound == ForecastBound::rate);
  CHECK(found.bound_share > 0.95);
  CHECK(found.binding == 0);
  options.rates = {limit_of(500, QuotaPeriod::second)};
  options.sessions = 100;
  CHECK(is_near(forecast(options, 60'000).duration, 120s, 0.02));
  // A hundred sessions of 200 ms a message can do 500 a second, and ten cannot.
  options.sessions = 10;
  CHECK(forecast(options, 10'000).bound == ForecastBound::connections);
}

TEST_CASE("forecast: a quota of the day makes days of it") {
  const ForecastOptions options{.rates = {limit_of(30, QuotaPeriod::minute),
                                          limit_of(1'000, QuotaPeriod::day, QuotaUnit::recipients)},
                                .sessions = 3,
                                .reply_time = 50ms};
  const ForecastResult found = forecast(options, 2'500);
  // A thousand each on two days, and the rest on the third.
  CHECK(found.duration > 48h);
  CHECK(found.duration < 49h);
  CHECK(found.bound == ForecastBound::rate);
  CHECK(found.binding == 1);
  CHECK(found.uses[1].units == 2'500);
  const ForecastResult small = forecast(options, 900);
  CHECK(small.duration < 31min);
  CHECK(small.binding == 0);
}

TEST_CASE("forecast: what was used before counts") {
  ForecastOptions options{.rates = {limit_of(100, QuotaPeriod::day)}, .sessions = 1};
  options.start = begin - 2h;
  queue::PrivateQuotaMemory memory;
  RunForecast before(options, memory);
  for (int n = 0; n < 70; ++n) {
    before.add({});
  }
  CHECK(before.result().duration < 1min);
  options.start = begin;
  RunForecast now(options, memory);
  for (int n = 0; n < 31; ++n) {
    now.add({});
  }
  const ForecastResult found = now.result();
  CHECK(found.uses[0].used_before == 70);
  CHECK(found.duration > 21h);
  CHECK(found.duration < 23h);
}

TEST_CASE("forecast: octets and several recipients count as they are") {
  ForecastOptions options{.rates = {limit_of(10, QuotaPeriod::second, QuotaUnit::recipients)},
                          .sessions = 10};
  CHECK(is_near(forecast(options, 100, 5).duration, 50s));
  options.rates = {limit_of(10'000, QuotaPeriod::second, QuotaUnit::octets)};
  CHECK(is_near(forecast(options, 600).duration, 60s));
}

TEST_CASE("forecast: nothing to send takes no time") {
  const ForecastResult found = forecast({.sessions = 3}, 0);
  CHECK(found.duration == Duration::zero());
  CHECK(found.bound == ForecastBound::nothing);
}

TEST_CASE("plan: lengths of time in words") {
  CHECK(span_text(1500ms) == "1.5 s");
  CHECK(span_text(200s) == "3 min 20 s");
  CHECK(span_text(4h + 20min) == "4 h 20 min");
  CHECK(span_text(25h) == "1 day 1 h");
  CHECK(span_text(51h) == "2 days 3 h");
}
