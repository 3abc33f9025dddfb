// The log of one window, against a list of all moments in which something arrived.
#include "engine/quota_window.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

const Instant start = Instant(1000h);

struct Arrival {
  Instant at;
  std::uint64_t units = 1;
};

// Exactly and slowly: the most units in any stretch [t, t + length).
std::uint64_t most_in_any_window(std::vector<Arrival> arrivals, Duration length) {
  std::sort(arrivals.begin(), arrivals.end(),
            [](const Arrival& one, const Arrival& other) { return one.at < other.at; });
  std::uint64_t most = 0;
  for (std::size_t first = 0; first < arrivals.size(); ++first) {
    std::uint64_t units = 0;
    for (std::size_t i = first; i < arrivals.size() && arrivals[i].at < arrivals[first].at + length;
         ++i) {
      units += arrivals[i].units;
    }
    most = std::max(most, units);
  }
  return most;
}

std::uint64_t sum_of(const std::vector<Arrival>& arrivals) {
  std::uint64_t units = 0;
  for (const Arrival& arrival : arrivals) {
    units += arrival.units;
  }
  return units;
}

struct Flight {
  QuotaPlace place;
  Instant answered_at;
};

}  // namespace

TEST_CASE("quota window: random takes are never over the limit in any window") {
  const unsigned seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u);
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::uint64_t amount = std::uniform_int_distribution<std::uint64_t>(1, 3000)(random);
  const std::uint64_t units_max = std::uniform_int_distribution<std::uint64_t>(1, amount)(random);
  const RateWindow limit{amount, std::chrono::milliseconds(1 + random() % 5000)};
  auto log = std::make_unique<queue::QuotaLog>();
  QuotaWindow window(*log, limit);
  std::vector<Arrival> taken;
  Instant now = start;
  for (int i = 0; i < 4000; ++i) {
    now += limit.length * static_cast<int>(random() % 100) / 20'000;
    const std::uint64_t units =
        random() % 4 == 0 ? 1 + random() % units_max : std::min<std::uint64_t>(1, units_max);
    if (window.free_at(units, now, 0ns) > now) {
      continue;
    }
    window.answered(window.take(units, now, 0ns), now);
    taken.push_back({now, units});
    REQUIRE(queue::is_sound(*log));
  }
  CHECK(taken.size() > 10);
  CHECK(most_in_any_window(taken, limit.length) <= amount);
}

TEST_CASE("quota window: whoever always has more to send gets nearly all of the limit") {
  const std::uint64_t amount =
      GENERATE(1ull, 2ull, 14ull, 70ull, 500ull, 512ull, 513ull, 1000ull, 5000ull, 50'000ull);
  const RateWindow limit{amount, 1s};
  auto log = std::make_unique<queue::QuotaLog>();
  QuotaWindow window(*log, limit);
  std::vector<Arrival> taken;
  for (Instant now = start; now < start + 20s;) {
    const Instant free_at = std::max(window.free_at(1, now, 0ns), window.even_at());
    if (free_at <= now) {
      window.answered(window.take(1, now, 0ns), now);
      window.take_evenly(1, now);
      taken.push_back({now, 1});
    }
    now = std::max(now, free_at);
  }
  // A guard of a 500th, and a 512th where groups have several units.
  CHECK(static_cast<double>(taken.size()) >= 20.0 * static_cast<double>(amount) * 0.995);
  if (taken.size() < 20'000) {
    CHECK(most_in_any_window(taken, limit.length) <= amount);
  }
}

TEST_CASE("quota window: units that arrive late are counted when the server did") {
  const unsigned seed = GENERATE(11u, 12u, 13u, 14u, 15u, 16u);
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::uint64_t amount = 1 + random() % 100;
  // Up to 60 % of the window on the way there, as much back, and at random.
  const auto way = [&random] { return 5ms + std::chrono::microseconds(random() % 300'000); };
  auto log = std::make_unique<queue::QuotaLog>();
  QuotaWindow window(*log, {amount, 1s});
  std::vector<Arrival> arrived;
  std::deque<Flight> flights;
  const Duration shortest = 10ms;
  for (Instant now = start; now < start + 30s; now += 200us) {
    std::sort(flights.begin(), flights.end(), [](const Flight& one, const Flight& other) {
      return one.answered_at < other.answered_at;
    });
    while (!flights.empty() && flights.front().answered_at <= now) {
      window.answered(flights.front().place, flights.front().answered_at - shortest);
      flights.pop_front();
    }
    if (window.free_at(1, now, shortest) <= now) {
      const Instant arrives_at = now + way();
      arrived.push_back({arrives_at, 1});
      flights.push_back({window.take(1, now, shortest), arrives_at + way()});
    }
  }
  CHECK(most_in_any_window(arrived, 1s) <= amount);
  // The time on the way is the price: it is never more than the ways together.
  CHECK(sum_of(arrived) >= amount * 18);
}

TEST_CASE("quota window: one late answer holds its own place alone") {
  auto log = std::make_unique<queue::QuotaLog>();
  QuotaWindow window(*log, {14, 1s});
  const QuotaPlace late = window.take(1, start, 10ms);
  for (int i = 0; i < 13; ++i) {
    window.answered(window.take(1, start, 10ms), start);
  }
  const Instant now = start + 1100ms;
  for (int i = 0; i < 13; ++i) {
    REQUIRE(window.free_at(1, now, 10ms) == now);
    window.answered(window.take(1, now, 10ms), now);
  }
  CHECK(window.free_at(1, now, 10ms) > now);
  window.answered(late, now - 10ms);
  CHECK(window.free_at(1, now, 10ms) > now + 900ms);
}

TEST_CASE("quota window: an answer that never comes gives its place back at last") {
  auto log = std::make_unique<queue::QuotaLog>();
  QuotaWindow window(*log, {1, 1s});
  static_cast<void>(window.take(1, start, 10ms));
  CHECK(window.free_at(1, start + 5s, 10ms) > start + 5s);
  CHECK(window.free_at(1, start + 12s, 10ms) == start + 12s);
}

TEST_CASE("quota window: what never left can be taken by others") {
  auto log = std::make_unique<queue::QuotaLog>();
  QuotaWindow window(*log, {100, 1s});
  const QuotaPlace place = window.take(60, start, 0ns);
  const QuotaPlace other = window.take(40, start, 0ns);
  CHECK(window.free_at(1, start, 0ns) > start);
  window.give_back(place, 60);
  CHECK(window.free_at(60, start, 0ns) == start);
  CHECK(window.free_at(61, start, 0ns) > start);
  window.give_back(other, 40);
  CHECK(window.used(start) == 0);
  CHECK(queue::is_sound(*log));
}

TEST_CASE("quota window: more than the limit goes when nothing else is there") {
  auto log = std::make_unique<queue::QuotaLog>();
  QuotaWindow window(*log, {10, 1s});
  REQUIRE(window.free_at(50, start, 0ns) == start);
  window.answered(window.take(50, start, 0ns), start);
  const Instant next = window.free_at(50, start, 0ns);
  CHECK(next >= start + 1s);
  CHECK(next <= start + 1010ms);
  CHECK(window.free_at(50, next, 0ns) == next);
}

TEST_CASE("quota window: limits take turns on one log") {
  auto log = std::make_unique<queue::QuotaLog>();
  QuotaWindow fast(*log, {100, 1s});
  for (int i = 0; i < 100; ++i) {
    fast.answered(fast.take(1, start + i * 1ms, 0ns), start + i * 1ms);
  }
  const Instant now = start + 100ms;
  // The 14 youngest are the window of the lower limit.
  QuotaWindow slow(*log, {14, 1s});
  const Instant next = slow.free_at(1, now, 0ns);
  CHECK(next >= start + 1086ms);
  CHECK(next <= start + 1090ms);
  // And of a higher one there is as much as was not taken.
  QuotaWindow faster(*log, {20'000, 1s});
  CHECK(faster.free_at(19'900, now, 0ns) == now);
  CHECK(faster.free_at(19'901, now, 0ns) > now);
}

TEST_CASE("quota window: free_at is the moment, and not one earlier") {
  const std::uint64_t amount = GENERATE(1ull, 14ull, 1000ull);
  auto log = std::make_unique<queue::QuotaLog>();
  QuotaWindow window(*log, {amount, 60s});
  Instant now = start;
  for (int i = 0; i < 5000; ++i) {
    const Instant next = window.free_at(1, now, 0ns);
    if (next > now) {
      REQUIRE(window.free_at(1, next - 1ns, 0ns) == next);
      REQUIRE(window.free_at(1, next, 0ns) == next);
      now = next;
    }
    window.answered(window.take(1, now, 0ns), now);
  }
}

}  // namespace ringpost::engine
