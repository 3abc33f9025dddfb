// What a provider that is played refuses and counts. Rates are held against a brute-force sum over
// every moment, whatever came and whenever.
#include "tools/sink/provider_limits.h"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tools/sink/limits_summary.h"

using namespace ringpost;
using namespace ringpost::sink;
using namespace std::chrono_literals;

namespace {

constexpr Instant limits_begin = Instant(100s);

QuotaLimit a_second(std::uint64_t amount, QuotaUnit unit = QuotaUnit::messages) {
  QuotaLimit limit = messages_per_second(amount);
  limit.unit = unit;
  return limit;
}

ProviderProfile profile_with(std::vector<QuotaLimit> rates) {
  ProviderProfile profile;
  profile.caps.rates = std::move(rates);
  return profile;
}

// A message of one connection that was there from the start.
bool is_taken(ProviderLimits& limits, Instant now, std::uint64_t recipients = 1,
              std::uint64_t session = 1) {
  const MessageSize message{.recipients = recipients, .bytes = 100};
  return limits.on_mail({.session = session, .since = limits_begin}, now) == nullptr &&
         limits.on_end(session, message, now) == nullptr;
}

std::uint64_t most_in_any_window(const std::vector<Instant>& moments, Duration length) {
  std::uint64_t most = 0;
  for (const Instant end : moments) {
    const auto in_window = [&](Instant one) { return one <= end && end - one < length; };
    most = std::max(
        most, static_cast<std::uint64_t>(std::count_if(moments.begin(), moments.end(), in_window)));
  }
  return most;
}

}  // namespace

TEST_CASE("limits: who refuses at MAIL counts a message from its MAIL on") {
  using namespace std::chrono_literals;
  const bool is_of_mail = GENERATE(true, false);
  ProviderProfile profile = profile_with({a_second(1)});
  profile.replies[static_cast<std::size_t>(ProviderLimit::rate)].stage =
      is_of_mail ? server::Stage::mail : server::Stage::end;
  ProviderLimits limits(profile);
  REQUIRE(limits.on_greeting(1, limits_begin) == nullptr);
  const auto mail = [&](Instant at) {
    return limits.on_mail({.session = 1, .since = limits_begin}, at) == nullptr;
  };
  const auto end = [&](Instant begun, Instant at) {
    return limits.on_end(1, {.recipients = 1, .bytes = 100, .mail = begun}, at) == nullptr;
  };
  CHECK(mail(limits_begin));
  CHECK(end(limits_begin, limits_begin + 150ms));
  // A second behind the first MAIL, and less behind its end.
  CHECK(mail(limits_begin + 1s));
  CHECK(end(limits_begin + 1s, limits_begin + 1100ms) == is_of_mail);
  CHECK(limits.report().rates.at(0).peak == (is_of_mail ? 1u : 2u));
}

TEST_CASE("limits: a rate is never passed, in any window, and both counts are exact") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t allowed = 1 + random() % 20;
    ProviderLimits limits(profile_with({a_second(allowed)}));
    REQUIRE(limits.on_greeting(1, limits_begin) == nullptr);
    std::vector<Instant> came;
    std::vector<Instant> accepted;
    Instant now = limits_begin;
    for (int i = 0; i < 300; ++i) {
      now += std::chrono::microseconds(random() % (2'000'000 / allowed));
      came.push_back(now);
      const std::uint64_t before = static_cast<std::uint64_t>(
          std::count_if(accepted.begin(), accepted.end(),
                        [&](Instant one) { return now - one < std::chrono::seconds(1); }));
      const bool taken = is_taken(limits, now);
      REQUIRE(taken == (before < allowed));
      if (taken) {
        accepted.push_back(now);
      }
    }
    const RateReport rate = limits.report().rates.at(0);
    REQUIRE(rate.came == came.size());
    REQUIRE(rate.accepted == accepted.size());
    REQUIRE(rate.refused == came.size() - accepted.size());
    REQUIRE(rate.peak == most_in_any_window(came, 1s));
    REQUIRE(rate.peak_accepted == most_in_any_window(accepted, 1s));
    REQUIRE(rate.peak_accepted <= allowed);
  }
}

TEST_CASE("limits: of several rates all have room, or none counts") {
  ProviderLimits limits(profile_with({a_second(10), a_second(25, QuotaUnit::recipients)}));
  REQUIRE(limits.on_greeting(1, limits_begin) == nullptr);
  REQUIRE(is_taken(limits, limits_begin, 20));
  REQUIRE_FALSE(is_taken(limits, limits_begin, 20));
  REQUIRE(is_taken(limits, limits_begin, 5));
  const LimitsReport report = limits.report();
  REQUIRE(report.rates[0].accepted == 2);
  REQUIRE(report.rates[0].came == 3);
  REQUIRE(report.rates[1].accepted == 25);
  REQUIRE(report.rates[1].peak == 45);
  REQUIRE(report.rates[1].over() == 0.8);
  REQUIRE(report.refused[static_cast<std::size_t>(ProviderLimit::rate)] == 1);
}

TEST_CASE("limits: a rate that changes is another one, and what was accepted before still counts") {
  ProviderProfile profile = profile_with({a_second(10)});
  profile.changes = {
      {.at = 5s, .what = CapSetting{.limit = ProviderLimit::rate, .rate = a_second(4)}},
      {.at = 8s, .what = CapSetting{.limit = ProviderLimit::rate, .rate = a_second(10)}}};
  ProviderLimits limits(std::move(profile));
  // Time counts from the first connection, however late it comes.
  REQUIRE(limits.on_greeting(1, limits_begin + 1h) == nullptr);
  const Instant begin = limits_begin + 1h;
  for (int i = 0; i < 10; ++i) {
    REQUIRE(is_taken(limits, begin + 4900ms));
  }
  REQUIRE_FALSE(is_taken(limits, begin + 5s));
  REQUIRE(is_taken(limits, begin + 5900ms));
  for (int i = 0; i < 10; ++i) {
    REQUIRE(is_taken(limits, begin + 9s));
  }
  const std::vector<RateReport> rates = limits.report().rates;
  REQUIRE(rates.size() == 3);
  REQUIRE(rates[0].peak == 10);
  REQUIRE(rates[1].from_s == 5);
  REQUIRE(rates[1].limit == a_second(4));
  // What came while the other rate was in force is not over this one.
  REQUIRE(rates[1].peak == 2);
  REQUIRE(rates[1].refused == 1);
  REQUIRE(rates[2].from_s == 8);
  REQUIRE(rates[2].peak == 10);
}

TEST_CASE("limits: a rate that is set anew is counted anew, though it be the same") {
  ProviderProfile profile = profile_with({a_second(2), a_second(9, QuotaUnit::recipients)});
  profile.changes = {
      {.at = 5s, .what = CapSetting{.limit = ProviderLimit::rate, .rate = a_second(2)}}};
  ProviderLimits limits(std::move(profile));
  REQUIRE(limits.on_greeting(1, limits_begin) == nullptr);
  REQUIRE(is_taken(limits, limits_begin + 4500ms));
  REQUIRE(is_taken(limits, limits_begin + 4500ms));
  REQUIRE_FALSE(is_taken(limits, limits_begin + 4500ms));
  REQUIRE_FALSE(is_taken(limits, limits_begin + 5s));
  REQUIRE(is_taken(limits, limits_begin + 5500ms));
  const LimitsReport report = limits.report();
  REQUIRE(report.rates.size() == 3);
  REQUIRE(report.rates[0].peak == 3);
  REQUIRE(report.rates[2].limit == a_second(2));
  REQUIRE(report.rates[2].peak == 2);
  REQUIRE(report.refused_by_second == std::vector<std::uint32_t>{0, 0, 0, 0, 1, 1});
}

TEST_CASE("limits: an outage refuses everything for its time, and costs no rate anything") {
  ProviderProfile profile = profile_with({a_second(1)});
  ProviderReply reply = usual_reply(ProviderLimit::outage);
  profile.changes = {{.at = 2s, .what = ProviderOutage{.reply = reply, .length = 3s}}};
  ProviderLimits limits(std::move(profile));
  REQUIRE(limits.on_greeting(1, limits_begin) == nullptr);
  REQUIRE(is_taken(limits, limits_begin + 1s));
  REQUIRE_FALSE(is_taken(limits, limits_begin + 2s));
  REQUIRE_FALSE(is_taken(limits, limits_begin + 4999ms));
  REQUIRE(is_taken(limits, limits_begin + 5s));
  const LimitsReport report = limits.report();
  REQUIRE(report.refused[static_cast<std::size_t>(ProviderLimit::outage)] == 2);
  REQUIRE(report.refused[static_cast<std::size_t>(ProviderLimit::rate)] == 0);
  REQUIRE(report.came_by_second == std::vector<std::uint32_t>{0, 1, 1, 0, 1, 1});
  REQUIRE(report.accepted_by_second == std::vector<std::uint32_t>{0, 1, 0, 0, 0, 1});
}

TEST_CASE("limits: a rate that is refused at MAIL counts what comes to its end") {
  ProviderProfile profile = profile_with({a_second(2), a_second(4, QuotaUnit::recipients)});
  profile.replies[static_cast<std::size_t>(ProviderLimit::rate)].stage = server::Stage::mail;
  ProviderLimits limits(std::move(profile));
  REQUIRE(limits.on_greeting(1, limits_begin) == nullptr);
  const ProviderLimits::Mail mail{.session = 1, .since = limits_begin};
  // Nothing comes of these.
  for (int i = 0; i < 5; ++i) {
    REQUIRE(limits.on_mail(mail, limits_begin) == nullptr);
  }
  REQUIRE(limits.on_end(1, {.recipients = 1}, limits_begin) == nullptr);
  // Of four recipients a second one is there: three more, and no fourth.
  REQUIRE(limits.on_recipient(2, limits_begin) == nullptr);
  REQUIRE(limits.on_recipient(3, limits_begin) != nullptr);
  REQUIRE(limits.on_end(1, {.recipients = 3}, limits_begin) == nullptr);
  REQUIRE(limits.on_mail(mail, limits_begin) != nullptr);
  // What was in flight behind an earlier MAIL is refused as well.
  REQUIRE(limits.on_end(1, {.recipients = 1}, limits_begin) != nullptr);
  const LimitsReport report = limits.report();
  REQUIRE(report.rates[0].accepted == 2);
  REQUIRE(report.rates[0].came == 4);
  REQUIRE(report.rates[1].accepted == 4);
  REQUIRE(report.rates[1].came == 6);
  REQUIRE(report.came_by_second == std::vector<std::uint32_t>{4});
}

TEST_CASE("limits: too many connections are refused, and none that is over counts") {
  ProviderProfile profile;
  profile.caps.connections = 2;
  profile.changes = {
      {.at = 10s, .what = CapSetting{.limit = ProviderLimit::connections, .number = 1}}};
  ProviderLimits limits(std::move(profile));
  REQUIRE(limits.on_greeting(1, limits_begin) == nullptr);
  REQUIRE(limits.on_greeting(2, limits_begin) == nullptr);
  REQUIRE(limits.on_greeting(3, limits_begin) != nullptr);
  limits.on_over(1);
  REQUIRE(limits.on_greeting(4, limits_begin) == nullptr);
  // When there may be fewer, the oldest stay.
  REQUIRE(is_taken(limits, limits_begin + 11s, 1, 2));
  REQUIRE_FALSE(is_taken(limits, limits_begin + 11s, 1, 4));
  limits.on_over(2);
  REQUIRE(is_taken(limits, limits_begin + 12s, 1, 4));
  REQUIRE(limits.report().connections_peak == 2);
}

TEST_CASE("limits: where connections are refused is the provider's matter") {
  ProviderProfile profile;
  profile.caps.connections = 1;
  const auto words = static_cast<std::size_t>(ProviderLimit::connections);
  SECTION("behind the end of data") {
    profile.replies[words].stage = server::Stage::end;
    ProviderLimits limits(std::move(profile));
    REQUIRE(limits.on_greeting(1, limits_begin) == nullptr);
    REQUIRE(limits.on_greeting(2, limits_begin) == nullptr);
    REQUIRE(limits.on_login(2, true, limits_begin) == nullptr);
    REQUIRE(limits.on_mail({.session = 2, .since = limits_begin}, limits_begin) == nullptr);
    REQUIRE(limits.on_end(2, {.recipients = 1}, limits_begin) != nullptr);
    REQUIRE(limits.on_end(1, {.recipients = 1}, limits_begin) == nullptr);
    REQUIRE(limits.report().logins_refused == 0);
  }
  SECTION("at the login") {
    profile.replies[words].stage = server::Stage::auth;
    ProviderLimits limits(std::move(profile));
    REQUIRE(limits.on_greeting(1, limits_begin) == nullptr);
    REQUIRE(limits.on_greeting(2, limits_begin) == nullptr);
    REQUIRE(limits.on_login(2, true, limits_begin) != nullptr);
    REQUIRE(limits.on_login(1, false, limits_begin) != nullptr);
    REQUIRE(limits.on_login(1, true, limits_begin) == nullptr);
    REQUIRE(limits.report().logins_refused == 2);
  }
}

TEST_CASE("limits: what a connection and a message may have") {
  ProviderProfile profile;
  profile.caps = {.messages = 3, .recipients = 2, .bytes = 1000, .idle = 9s, .age = 1min};
  ProviderLimits limits(std::move(profile));
  REQUIRE(limits.on_greeting(1, limits_begin) == nullptr);
  const ProviderLimits::Mail mail{.session = 1, .since = limits_begin};
  REQUIRE(limits.on_mail(mail, limits_begin) == nullptr);
  ProviderLimits::Mail late = mail;
  late.messages = 3;
  REQUIRE(limits.on_mail(late, limits_begin)->text.find("Too many messages") != std::string::npos);
  ProviderLimits::Mail large = mail;
  large.bytes = 1001;
  REQUIRE(limits.on_mail(large, limits_begin)->code == 552);
  REQUIRE(limits.on_mail(mail, limits_begin + 1min)->text.find("too old") != std::string::npos);
  REQUIRE(limits.on_recipient(1, limits_begin) == nullptr);
  REQUIRE(limits.on_recipient(2, limits_begin)->code == 452);
  REQUIRE(limits.on_end(1, {.recipients = 1, .bytes = 1001}, limits_begin)->code == 552);
  REQUIRE(limits.idle(limits_begin) == 9s);
  REQUIRE(limits.age(limits_begin) == 1min);
}

TEST_CASE("limits: the summary has each limit, and null for what is not limited") {
  ProviderProfile profile = profile_with({a_second(2)});
  profile.name = "A provider";
  profile.caps.connections = 5;
  ProviderLimits limits(std::move(profile));
  REQUIRE(limits.on_greeting(1, limits_begin) == nullptr);
  for (int i = 0; i < 3; ++i) {
    (void)is_taken(limits, limits_begin);
  }
  std::string json;
  append_limits_json(json, limits.report());
  REQUIRE(json.find(R"("profile":"A provider","rates":[{"unit":"messages","window_s":1,)"
                    R"("allowed":2,"from_s":0.000,"came":3,"accepted":2,"refused":1,"peak":3,)"
                    R"("peak_accepted":2,"over":0.500000}])") != std::string::npos);
  REQUIRE(json.find(R"("connections":{"allowed":5,"refused":0})") != std::string::npos);
  REQUIRE(json.find(R"("age":{"allowed":null,"refused":0})") != std::string::npos);
  std::string text;
  append_limits_text(text, limits.report());
  REQUIRE(text.find("at most 3 came in any window (50.0 % over)") != std::string::npos);
}
