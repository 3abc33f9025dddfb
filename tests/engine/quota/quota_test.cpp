#include "engine/quota.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

const Instant run_start = Instant(1000h);

QuotaLimit limit_of(QuotaUnit unit, QuotaPeriod period, std::uint64_t amount) {
  return {unit, period, {amount, length_of(period)}};
}

struct Sent {
  Instant at;
  QuotaAmounts amounts;
};

std::uint64_t amount_of(const Sent& sent, QuotaUnit unit) {
  switch (unit) {
    case QuotaUnit::messages:
      return sent.amounts.messages;
    case QuotaUnit::recipients:
      return sent.amounts.recipients;
    case QuotaUnit::octets:
      return sent.amounts.octets;
  }
  return 0;
}

// Exactly: two pointers over moments in order.
std::uint64_t peak(const std::vector<Sent>& sent, const QuotaLimit& limit) {
  std::uint64_t most = 0;
  std::uint64_t units = 0;
  std::size_t oldest = 0;
  for (const Sent& one : sent) {
    units += amount_of(one, limit.unit);
    while (sent[oldest].at + limit.window.length <= one.at) {
      units -= amount_of(sent[oldest++], limit.unit);
    }
    most = std::max(most, units);
  }
  return most;
}

// Sends as much as may go, in virtual time; answers come `reply` later.
std::vector<Sent> send_for(Quota& quota, Duration duration, std::mt19937& random,
                           std::uint64_t recipients_max) {
  std::vector<Sent> sent;
  for (Instant now = run_start; now < run_start + duration;) {
    const QuotaAmounts amounts{.messages = 1,
                               .recipients = 1 + random() % recipients_max,
                               .octets = 500 + random() % 20'000};
    QuotaAnswer answer = quota.take(amounts, now);
    for (int tries = 0; !answer.is_taken && tries < 1'000; ++tries) {
      REQUIRE(answer.next > now);
      now = answer.next;
      answer = quota.take(amounts, now);
    }
    REQUIRE(answer.is_taken);
    sent.push_back({now, amounts});
    quota.answered(answer.ticket, now);
  }
  return sent;
}

}  // namespace

TEST_CASE("quota: all limits hold together, and the tightest is used up") {
  const unsigned seed = GENERATE(1u, 2u, 3u);
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::vector<QuotaLimit> limits = {
      limit_of(QuotaUnit::messages, QuotaPeriod::second, 14),
      limit_of(QuotaUnit::messages, QuotaPeriod::minute, 600),
      limit_of(QuotaUnit::messages, QuotaPeriod::hour, 20'000),
      limit_of(QuotaUnit::recipients, QuotaPeriod::minute, 2000),
      limit_of(QuotaUnit::recipients, QuotaPeriod::day, 60'000),
      limit_of(QuotaUnit::octets, QuotaPeriod::hour, 150'000'000),
  };
  queue::PrivateQuotaMemory memory;
  Quota quota(limits, memory);
  const std::vector<Sent> sent = send_for(quota, 26h, random, 7);
  for (const QuotaLimit& limit : limits) {
    CAPTURE(limit.unit, limit.period);
    CHECK(peak(sent, limit) <= limit.window.amount);
  }
  // Four recipients a message: 60,000 a day bind, and 24 hours and two have one day and its first
  // hours again.
  CHECK(peak(sent, limits[4]) >= 59'700);
  CHECK(peak(sent, limits[0]) >= 13);
}

TEST_CASE("quota: without a limit everything is taken at once") {
  queue::PrivateQuotaMemory memory;
  Quota quota({}, memory);
  CHECK(quota.unlimited());
  for (int i = 0; i < 1000; ++i) {
    const QuotaAnswer answer = quota.take({}, run_start);
    REQUIRE(answer.is_taken);
    quota.answered(answer.ticket, run_start);
  }
  CHECK(memory.logs()[0].units == 0);
  CHECK(quota.recipients_max() == UINT64_MAX);
}

TEST_CASE("quota: what one window refuses is written into none") {
  queue::PrivateQuotaMemory memory;
  Quota quota({limit_of(QuotaUnit::messages, QuotaPeriod::day, 1000),
               limit_of(QuotaUnit::recipients, QuotaPeriod::day, 10)},
              memory);
  CHECK(quota.recipients_max() == 10);
  REQUIRE(quota.take({.messages = 1, .recipients = 8}, run_start).is_taken);
  const QuotaAnswer refused = quota.take({.messages = 1, .recipients = 3}, run_start);
  CHECK_FALSE(refused.is_taken);
  CHECK(refused.next >= run_start + 24h);
  CHECK(quota.used(limit_of(QuotaUnit::messages, QuotaPeriod::day, 1000), run_start) == 1);
  CHECK(quota.take({.messages = 1, .recipients = 2}, run_start).is_taken);
}

TEST_CASE("quota: a day alone asks for no pace, a shorter limit does") {
  queue::PrivateQuotaMemory memory;
  Quota by_day({limit_of(QuotaUnit::messages, QuotaPeriod::day, 1440)}, memory);
  for (int i = 0; i < 100; ++i) {
    REQUIRE(by_day.take({}, run_start).is_taken);
  }
  queue::PrivateQuotaMemory other_memory;
  Quota by_hour({limit_of(QuotaUnit::messages, QuotaPeriod::hour, 3600)}, other_memory);
  REQUIRE(by_hour.take({}, run_start).is_taken);
  const QuotaAnswer second = by_hour.take({}, run_start + 400ms);
  CHECK_FALSE(second.is_taken);
  CHECK(second.next > run_start + 400ms);
  CHECK(second.next < run_start + 1100ms);
}

TEST_CASE("quota: a rate that is found out holds beside the others, and goes") {
  queue::PrivateQuotaMemory memory;
  Quota quota({}, memory);
  REQUIRE(quota.unlimited());
  quota.set_found_rate(RateWindow{5, 1s});
  CHECK_FALSE(quota.unlimited());
  std::mt19937 random(1);
  const std::vector<Sent> sent = send_for(quota, 10s, random, 1);
  CHECK(sent.size() >= 49);
  CHECK(sent.size() <= 51);
  quota.set_found_rate(std::nullopt);
  CHECK(quota.unlimited());
}

TEST_CASE("quota: a ticket that is given back counts nowhere") {
  queue::PrivateQuotaMemory memory;
  const QuotaLimit limit = limit_of(QuotaUnit::octets, QuotaPeriod::day, 1000);
  Quota quota({limit}, memory);
  const QuotaAnswer answer = quota.take({.octets = 900}, run_start);
  REQUIRE(answer.is_taken);
  REQUIRE_FALSE(quota.take({.octets = 900}, run_start).is_taken);
  quota.give_back(answer.ticket);
  CHECK(quota.used(limit, run_start) == 0);
  CHECK(quota.take({.octets = 900}, run_start).is_taken);
}

TEST_CASE("quota: the shortest reply is one of late") {
  ShortestReply shortest;
  CHECK(shortest.get() == 0ns);
  shortest.note(50ms, run_start);
  shortest.note(80ms, run_start + 1s);
  CHECK(shortest.get() == 50ms);
  for (int i = 2; i < 20; ++i) {
    shortest.note(80ms, run_start + i * 1s);
  }
  CHECK(shortest.get() == 80ms);
}

TEST_CASE("quota: threads together get what one would") {
  queue::PrivateQuotaMemory memory;
  const QuotaLimit limit = limit_of(QuotaUnit::messages, QuotaPeriod::second, 200);
  Quota quota({limit}, memory);
  std::mutex mutex;
  std::vector<Sent> sent;
  std::vector<std::thread> threads;
  const Instant begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (Instant now = begin; now < begin + 1500ms; now = std::chrono::steady_clock::now()) {
        const QuotaAnswer answer = quota.take({}, now);
        if (answer.is_taken) {
          quota.answered(answer.ticket, std::chrono::steady_clock::now());
          const std::lock_guard lock(mutex);
          sent.push_back({now, {}});
        } else {
          std::this_thread::sleep_until(std::min(answer.next, begin + 1500ms));
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::sort(sent.begin(), sent.end(),
            [](const Sent& one, const Sent& other) { return one.at < other.at; });
  CHECK(peak(sent, limit) <= 200);
  CHECK(sent.size() >= 250);
  // And what they missed while they were not scheduled, which the log bounds.
  CHECK(sent.size() <= 400);
}

// Ten sessions with a server 100 ms away, whose first messages take five round trips and later ones
// one. It counts when the last octets have arrived.
TEST_CASE("quota: what begins with slow answers is within its limit, too") {
  constexpr Duration round_trip = 100ms;
  const QuotaLimit limit =
      limit_of(QuotaUnit::messages, QuotaPeriod::second, GENERATE(14u, 50u, 500u));
  queue::PrivateQuotaMemory memory;
  Quota quota({limit}, memory);
  struct Talk {
    Instant free_at = run_start;
    bool is_warm = false;
    std::optional<QuotaTicket> ticket = {};
  };
  std::vector<Talk> talks(GENERATE(10u, 100u));
  std::vector<Sent> counted;
  for (Instant now = run_start; now < run_start + 20s; now += 1ms) {
    bool is_used_up = false;  // for this moment: whoever asks is refused
    for (Talk& talk : talks) {
      if (talk.free_at > now) {
        continue;
      }
      if (talk.ticket) {
        quota.answered(*talk.ticket, now, std::exchange(talk.is_warm, true));
        talk.ticket.reset();
      }
      if (is_used_up) {
        continue;
      }
      const QuotaAnswer answer = quota.take({}, now);
      is_used_up = !answer.is_taken;
      if (answer.is_taken) {
        talk.ticket = answer.ticket;
        talk.free_at = now + (talk.is_warm ? 1 : 5) * round_trip;
        counted.push_back({talk.free_at - round_trip / 2, {}});
      }
    }
  }
  std::sort(counted.begin(), counted.end(),
            [](const Sent& one, const Sent& other) { return one.at < other.at; });
  CHECK(peak(counted, limit) <= limit.window.amount);
  // Sessions that are too few have a limit of their own.
  const std::size_t possible = std::min<std::size_t>(limit.window.amount, talks.size() * 10);
  CHECK(counted.size() >= possible * 17);
}

}  // namespace ringpost::engine
