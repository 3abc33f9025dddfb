// Limits that nobody has told are found out, and followed, against models of providers.
#include "engine/rate_control.h"

#include <random>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/engine/quota/provider_model.h"

namespace ringpost::engine {

namespace {

using provider_model::Change;
using provider_model::Limiter;
using provider_model::Provider;
using provider_model::SenderOptions;
using namespace std::chrono_literals;

constexpr RateControlOptions searching = {.searches = true};

// What a test asks of a run, as shares of what was allowed.
struct Measure {
  double used = 0;
  double peak = 0;
  double refused = 0;
};

Measure measure(const Provider& provider, std::uint64_t amount, Duration from, Duration to) {
  const double allowed =
      static_cast<double>(amount) * std::chrono::duration<double>(to - from).count();
  const Measure shares{
      .used = static_cast<double>(provider.accepted(from, to)) / allowed,
      .peak = static_cast<double>(provider.peak(from, to - 1s)) / static_cast<double>(amount),
      .refused = static_cast<double>(provider.refused(from, to)) / allowed};
  UNSCOPED_INFO("used " << shares.used << ", peak " << shares.peak << ", refused "
                        << shares.refused);
  return shares;
}

void run(Provider& provider, const RateControlOptions& options, const SenderOptions& sender,
         std::vector<Change> changes = {}, const std::vector<QuotaLimit>& limits = {}) {
  queue::PrivateQuotaMemory memory;
  Quota quota(limits, memory, QuotaUnit::recipients);
  RateControl control(options, provider_model::begin);
  provider_model::send(provider, quota, control, sender, std::move(changes));
}

// The first second from `from` on in which the accepted ones are within a twentieth of `amount`,
// and stay so for three.
Duration time_until_level(const Provider& provider, Duration from, std::uint64_t amount) {
  for (Duration after = 0ms; after < 30s; after += 100ms) {
    const auto units = static_cast<double>(provider.accepted(from + after, from + after + 3s));
    if (units >= 3 * 0.95 * static_cast<double>(amount) - 1 &&
        units <= 3 * 1.05 * static_cast<double>(amount) + 1) {
      return after;
    }
  }
  return 30s;
}

}  // namespace

TEST_CASE("rate control: an unknown limit of a sliding second is found and held") {
  const auto limiter = GENERATE(Limiter::sliding, Limiter::sliding_strict);
  const std::uint64_t amount = GENERATE(1u, 2u, 5u, 14u, 33u, 70u, 200u, 500u);
  CAPTURE(limiter, amount);
  Provider provider(limiter, amount);
  run(provider, searching, {.duration = 70s});
  const Measure shares = measure(provider, amount, 10s, 70s);
  CHECK(shares.used >= 0.98);
  CHECK(shares.peak <= 1.01);
}

TEST_CASE("rate control: a limit of recipients is found with messages to several") {
  const std::uint64_t amount = GENERATE(70u, 500u);
  const std::uint64_t recipients_max = GENERATE(3u, 10u);
  CAPTURE(amount, recipients_max);
  Provider provider(Limiter::sliding, amount);
  run(provider, searching, {.duration = 70s, .recipients_max = recipients_max});
  const Measure shares = measure(provider, amount, 15s, 70s);
  // What does not fit whole waits, and leaves a gap.
  CHECK(shares.used >= 0.9);
  CHECK(shares.peak <= 1.01);
}

TEST_CASE("rate control: jitter on the way costs little, and nothing of the limit") {
  const std::uint64_t amount = GENERATE(14u, 70u, 500u);
  const unsigned seed = GENERATE(1u, 2u, 3u, 4u, 5u);
  CAPTURE(amount, seed);
  Provider provider(Limiter::sliding, amount);
  run(provider, searching, {.jitter = 10ms, .duration = 70s, .seed = seed});
  const Measure shares = measure(provider, amount, 15s, 70s);
  CHECK(shares.used >= 0.96);
  CHECK(shares.refused <= 0.01);
}

TEST_CASE("rate control: a bucket with depth is emptied once, and then its rate is held") {
  const std::uint64_t amount = GENERATE(14u, 70u, 500u);
  const double depth = GENERATE(1.0, 1.5, 2.0, 5.0);
  CAPTURE(amount, depth);
  Provider provider(Limiter::bucket, amount, 1s, depth * static_cast<double>(amount));
  run(provider, searching, {.duration = 180s});
  // A deep one takes a while to show that it is one.
  const Measure shares = measure(provider, amount, depth > 2 ? 90s : 20s, 180s);
  CHECK(shares.used >= 0.98);
  CHECK(shares.used <= 1.02);
  CHECK(shares.refused <= 0.01);
}

TEST_CASE("rate control: a limit by seconds of the clock is held") {
  const std::uint64_t amount = GENERATE(14u, 70u, 500u);
  CAPTURE(amount);
  Provider provider(Limiter::fixed, amount);
  run(provider, searching, {.duration = 120s});
  const Measure shares = measure(provider, amount, 20s, 120s);
  CHECK(shares.used >= 0.96);
  CHECK(shares.refused <= 0.02);
}

TEST_CASE(
    "rate control: a limit that was learnt or is configured is never passed, from the start") {
  const std::uint64_t amount = GENERATE(14u, 70u, 500u);
  const bool is_learnt = GENERATE(false, true);
  CAPTURE(amount, is_learnt);
  Provider provider(Limiter::sliding_strict, amount);
  const RateWindow window{amount, 1s};
  RateControlOptions options;
  (is_learnt ? options.learnt : options.configured) = window;
  run(provider, options, {.duration = 60s}, {},
      is_learnt ? std::vector<QuotaLimit>{}
                : std::vector<QuotaLimit>{{QuotaUnit::messages, QuotaPeriod::second, window}});
  const Measure shares = measure(provider, amount, 0s, 60s);
  CHECK(shares.used >= 0.98);
  CHECK(shares.refused == 0);
  CHECK(shares.peak <= 1);
}

TEST_CASE("rate control: a limit that is halved and given back is followed within ten seconds") {
  const std::uint64_t amount = GENERATE(14u, 70u, 500u);
  const auto limiter = GENERATE(Limiter::sliding, Limiter::sliding_strict);
  CAPTURE(amount, limiter);
  Provider provider(limiter, amount);
  run(provider, searching, {.duration = 120s},
      {{40s, [amount](Provider& one) { one.set_amount(amount / 2); }},
       {80s, [amount](Provider& one) { one.set_amount(amount); }}});
  measure(provider, amount, 10s, 120s);
  const Duration down = time_until_level(provider, 40s, amount / 2);
  const Duration up = time_until_level(provider, 80s, amount);
  CAPTURE(down / 1ms, up / 1ms);
  CHECK(down <= 10s);
  CHECK(up <= 10s);
  // What is tried in between is one in seven of the smallest, every few seconds, and the servers
  // that count what they refuse give its place to nobody.
  CHECK(measure(provider, amount / 2, 50s, 80s).used >= 0.92);
  CHECK(measure(provider, amount, 90s, 120s).used >= 0.98);
  CHECK(measure(provider, amount, 90s, 120s).refused <= 0.01);
}

TEST_CASE("rate control: a limit that moves soon behind the search is followed as well") {
  const std::uint64_t amount = GENERATE(10u, 14u, 40u, 70u);
  const Duration at = GENERATE(10s, 11s, 12s, 13s, 14s, 16s, 18s, 22s, 30s);
  const std::size_t sessions = GENERATE(20u, 1000u);
  CAPTURE(amount, at / 1s, sessions);
  Provider provider(Limiter::sliding, amount);
  run(provider, searching, {.sessions = sessions, .jitter = 3ms, .duration = 70s},
      {{at, [amount](Provider& one) { one.set_amount(amount / 2); }},
       {at + 20s, [amount](Provider& one) { one.set_amount(amount); }}});
  measure(provider, amount, 10s, 70s);
  CHECK(time_until_level(provider, at, amount / 2) <= 10s);
  // Whether a limit has moved or was a bucket at first can be told once it has held for a while.
  if (at >= 18s) {
    CHECK(time_until_level(provider, at + 20s, amount) <= 10s);
  }
}

TEST_CASE("rate control: a minute in which nothing goes is over within ten seconds of its end") {
  const std::uint64_t amount = GENERATE(14u, 70u, 500u);
  CAPTURE(amount);
  Provider provider(Limiter::sliding, amount);
  run(provider, searching, {.duration = 150s},
      {{30s, [](Provider& one) { one.set_amount(0); }},
       {90s, [amount](Provider& one) { one.set_amount(amount); }}});
  measure(provider, amount, 10s, 150s);
  // Asked once in two seconds.
  CHECK(provider.refused(40s, 90s) <= 30);
  const Duration up = time_until_level(provider, 90s, amount);
  CAPTURE(up / 1ms);
  CHECK(up <= 10s);
  CHECK(measure(provider, amount, 100s, 150s).used >= 0.98);
}

TEST_CASE("rate control: thirty a minute are followed down to nothing and back") {
  Provider provider(Limiter::sliding, 30, 60s);
  const RateWindow window{30, 60s};
  run(provider, {.configured = window}, {.duration = 300s},
      {{100s, [](Provider& one) { one.set_amount(0); }},
       {160s, [](Provider& one) { one.set_amount(30); }}},
      {{QuotaUnit::messages, QuotaPeriod::minute, window}});
  CHECK(provider.refused(0s, 100s) == 0);
  CHECK(provider.accepted(0s, 100s) >= 49);
  CHECK(provider.accepted(160s, 170s) >= 3);
  CHECK(provider.accepted(170s, 290s) >= 58);
  CHECK(provider.refused(170s, 300s) == 0);
}

TEST_CASE("rate control: without a limit nothing is held back") {
  Provider provider(Limiter::none, 1);
  run(provider, {}, {.sessions = 100, .duration = 10s});
  // A hundred sessions of five a second each.
  CHECK(provider.accepted(0s, 10s) >= 4900);
}

TEST_CASE("rate control: whoever began at full speed is shown the limit once") {
  const std::uint64_t amount = GENERATE(14u, 70u, 500u);
  CAPTURE(amount);
  Provider provider(Limiter::sliding, amount);
  run(provider, {}, {.sessions = 200, .duration = 70s});
  const Measure shares = measure(provider, amount, 10s, 70s);
  CHECK(shares.used >= 0.98);
  CHECK(shares.peak <= 1.01);
}

TEST_CASE("rate control: a search ends where nobody has more to send") {
  Provider provider(Limiter::sliding, 1000);
  run(provider, searching, {.duration = 120s, .demand = 20});
  CHECK(provider.refused(0s, 120s) == 0);
  CHECK(provider.accepted(10s, 120s) >= 2190);
}

TEST_CASE("rate control: one refusal in a thousand changes nothing") {
  RateControl control({.learnt = RateWindow{100, 1s}}, provider_model::begin);
  Instant now = provider_model::begin;
  for (int i = 0; i < 20'000; ++i) {
    now += 10ms;
    static_cast<void>(control.rate(now));
    control.taken(1, now);
    if (i % 1000 == 999) {
      control.slowed_down(1, now, now + 5ms);
    } else {
      control.accepted(1, now, now + 5ms);
    }
    REQUIRE_FALSE(control.is_throttled());
  }
  CHECK(control.rate(now).window == RateWindow{100, 1s});
}

TEST_CASE("rate control: whatever servers answer, something goes within seconds") {
  const unsigned seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u);
  CAPTURE(seed);
  std::mt19937 random(seed);
  RateControlOptions options{.searches = random() % 2 == 0};
  if (random() % 2 == 0) {
    options.learnt = RateWindow{1 + random() % 1000, random() % 2 == 0 ? Duration(1s) : 60s};
  }
  RateControl control(options, provider_model::begin);
  Instant now = provider_model::begin;
  Instant last_allowed = now;
  std::uint64_t refusal_percent = 0;
  for (int i = 0; i < 50'000; ++i) {
    now += std::chrono::milliseconds(random() % 100);
    if (random() % 1000 == 0) {
      refusal_percent = random() % 3 == 0 ? 100 : random() % 100;
    }
    const RateNow rate = control.rate(now);
    REQUIRE((!rate.window || rate.window->amount >= 1));
    REQUIRE((!rate.window || rate.window->length <= 60s));
    REQUIRE(rate.not_before <= now + 3500ms);
    if (rate.not_before > now) {
      REQUIRE(now - last_allowed < 10s);
      continue;
    }
    last_allowed = now;
    const std::uint64_t units = 1 + random() % 60;
    control.taken(units, now);
    // At random of now, of a moment ago, or of long ago.
    const Instant taken_at =
        now - std::chrono::milliseconds(random() % 3 == 0 ? random() % 9000 : 0);
    if (random() % 100 < refusal_percent) {
      control.slowed_down(units, taken_at, now);
    } else {
      control.accepted(units, taken_at, now);
    }
    if (const auto found = control.found()) {
      REQUIRE(found->amount >= 1);
    }
  }
}

TEST_CASE("rate history: sums are those of a list") {
  const unsigned seed = GENERATE(1u, 2u, 3u);
  CAPTURE(seed);
  std::mt19937 random(seed);
  RateHistory history;
  std::vector<std::pair<std::int64_t, std::uint64_t>> list;
  std::int64_t newest_ms = 1'000'000;
  for (int i = 0; i < 3000; ++i) {
    newest_ms += static_cast<std::int64_t>(random() % 50 == 0 ? random() % 6000 : random() % 5);
    const std::int64_t at_ms = newest_ms - static_cast<std::int64_t>(random() % 3000);
    const std::uint64_t units = 1 + random() % 9;
    history.add(Instant(at_ms * 1ms), units);
    list.emplace_back(at_ms, units);
    const std::int64_t end_ms = newest_ms - static_cast<std::int64_t>(random() % 500);
    const std::int64_t begin_ms = end_ms - static_cast<std::int64_t>(random() % 3000);
    std::uint64_t sum = 0;
    for (const auto& [time_ms, count] : list) {
      sum += time_ms > begin_ms && time_ms <= end_ms ? count : 0;
    }
    REQUIRE(history.sum(Instant(begin_ms * 1ms), Instant(end_ms * 1ms)) == sum);
  }
}

}  // namespace ringpost::engine
