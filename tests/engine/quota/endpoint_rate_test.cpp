// The rate of an endpoint as routes see it: configured, learnt, looked for, or none.
#include "engine/endpoint_rate.h"

#include <catch2/catch_test_macros.hpp>

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;

constexpr Duration reply_time = 50ms;

// One worker that sends as much as it may, to a server that takes `limit` in any second.
class OneSender {
 public:
  explicit OneSender(const EndpointOptions& options, const queue::LearntLimits& learnt = {})
      : rate(options, (memory.set_learnt(learnt), memory)) {}

  // Tries for so long, each millisecond; what was accepted.
  std::uint64_t send(Duration length, std::uint64_t limit, std::uint64_t recipients = 1) {
    std::uint64_t accepted = 0;
    for (const Instant end = now + length; now < end; now += 1ms) {
      const QuotaAnswer answer = rate.take({.recipients = recipients}, now);
      if (!answer.is_taken) {
        REQUIRE(answer.next > now);
        continue;
      }
      const bool fits = count_in_window() + recipients <= limit;
      if (fits) {
        window_.emplace_back(now, recipients);
        accepted += recipients;
      }
      const auto units = static_cast<std::uint32_t>(recipients);
      rate.answered(
          answer.ticket, now + reply_time,
          {.in_warm_session = true, .too_fast = fits ? 0 : units, .taken = fits ? units : 0});
      refused += fits ? 0 : 1;
    }
    return accepted;
  }

  queue::PrivateQuotaMemory memory;
  EndpointRate rate;
  Instant now = Instant(1000h);
  std::uint64_t refused = 0;

 private:
  std::uint64_t count_in_window() {
    std::uint64_t count = 0;
    std::erase_if(window_, [this](const auto& one) { return one.first <= now - 1s; });
    for (const auto& [at, units] : window_) {
      count += units;
    }
    return count;
  }

  std::vector<std::pair<Instant, std::uint64_t>> window_;
};

EndpointOptions with_rate(std::uint64_t amount) {
  EndpointOptions options;
  options.rates = {messages_per_second(amount)};
  return options;
}

EndpointOptions with_unknown_rate(QuotaUnit unit) {
  EndpointOptions options;
  options.unknown_rate = unit;
  return options;
}

}  // namespace

TEST_CASE("endpoint rate: without a limit nothing is counted until something was too fast") {
  OneSender sender{EndpointOptions()};
  CHECK(sender.rate.unlimited());
  CHECK(sender.send(2s, UINT64_MAX) == 2000);
  CHECK(sender.rate.unlimited());
  CHECK_FALSE(sender.rate.found());
  sender.rate.begin_to_follow(sender.now);
  CHECK_FALSE(sender.rate.unlimited());
  // What is under way is waited for.
  CHECK(sender.send(1s, 50) == 0);
  sender.send(20s, 50);
  CHECK(sender.send(10s, 50) >= 490);
  CHECK(sender.rate.found() == RateWindow{50, 1s});
}

TEST_CASE("endpoint rate: a search that meets nothing ends, and then nothing is counted") {
  OneSender sender(with_unknown_rate(QuotaUnit::messages));
  CHECK_FALSE(sender.rate.unlimited());
  sender.send(61s, UINT64_MAX);
  CHECK(sender.rate.unlimited());
  CHECK(sender.send(1s, UINT64_MAX) == 1000);
  // And begins again.
  sender.rate.begin_to_follow(sender.now);
  CHECK_FALSE(sender.rate.unlimited());
}

TEST_CASE("endpoint rate: what is counted is what the provider counts") {
  OneSender sender(with_unknown_rate(QuotaUnit::recipients));
  sender.send(15s, 60, 3);
  CHECK(sender.send(10s, 60, 3) >= 540);
  sender.send(20s, 60, 3);
  REQUIRE(sender.rate.found());
  CHECK(sender.rate.found()->amount < 63);  // a message is three of them
  CHECK(sender.rate.found()->amount >= 57);
}

TEST_CASE("endpoint rate: a limit that was learnt is not passed from the first second on") {
  OneSender first(with_unknown_rate(QuotaUnit::messages));
  first.send(40s, 70);
  const queue::LearntLimits learnt = first.memory.learnt();
  CHECK(learnt.rate_amount == 70);
  CHECK(Duration(learnt.rate_length_ns) == 1s);
  OneSender later(with_unknown_rate(QuotaUnit::messages), learnt);
  CHECK(later.send(60s, 70) >= 60 * 69);
  CHECK(later.refused == 0);
  // Of something else, or where the user says what it is.
  CHECK(OneSender(with_unknown_rate(QuotaUnit::recipients), learnt).send(2s, 1000) < 20);
  CHECK(OneSender(with_rate(90), learnt).send(2s, 1000) >= 170);
}

TEST_CASE("endpoint rate: a limit that is configured is followed where it moves down and back") {
  OneSender sender(with_rate(40));
  CHECK(sender.send(10s, 40) >= 390);
  CHECK(sender.refused == 0);
  sender.send(10s, 20);
  CHECK(sender.send(10s, 20) >= 180);
  sender.send(10s, 40);
  CHECK(sender.send(10s, 40) >= 390);
  // It is the user's: nothing was found out.
  CHECK_FALSE(sender.rate.found());
}

TEST_CASE("endpoint rate: how long nothing but refusals came ends with any other answer") {
  OneSender sender(with_unknown_rate(QuotaUnit::messages));
  sender.send(10s, 20);
  CHECK(sender.rate.refused_for(sender.now) < 2s);
  sender.send(60s, 0);
  CHECK(sender.rate.refused_for(sender.now) > 55s);
  // Asked now and then, and not for nothing.
  const std::uint64_t refused = sender.refused;
  sender.send(60s, 0);
  CHECK(sender.refused - refused >= 25);
  CHECK(sender.refused - refused <= 35);
  sender.send(5s, 20);
  CHECK(sender.rate.refused_for(sender.now) == 0s);
}

}  // namespace ringpost::engine
