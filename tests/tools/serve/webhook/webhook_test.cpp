// Lines go out in batches, are tried again when that may help, and reach the file when it may not;
// whatever happens, each line is in one place and memory has its bound.
#include "tools/serve/webhook/webhook.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

namespace ringpost::serve::test {

namespace {

using namespace std::chrono_literals;

constexpr Instant start = Instant{} + 1h;

std::string line_number(int number) { return fmt::format("{{\"id\":\"{}\"}}\n", number); }

WebhookAnswer with_status(int status) { return {.code = status, .words = ""}; }

// All that is to be written into the file, in its order.
std::string take_dead(Webhook& hook) {
  std::string lines;
  while (const Webhook::Dead* const dead = hook.dead()) {
    CHECK(static_cast<std::size_t>(std::count(dead->lines.begin(), dead->lines.end(), '\n')) ==
          dead->count);
    lines += dead->lines;
    hook.buried();
  }
  return lines;
}

}  // namespace

TEST_CASE("webhook: a batch leaves when it is full, or when its first line has waited") {
  Webhook hook({.batch_max = 2, .delay = 1s}, start);
  CHECK(hook.due() == never);
  CHECK(hook.add(line_number(1), start));
  CHECK(hook.due() == start + 1s);
  CHECK(hook.begin(start + 999ms) == nullptr);
  CHECK(hook.add(line_number(2), start + 1ms));
  const Webhook::Batch* const full = hook.begin(start + 1ms);
  REQUIRE(full != nullptr);
  CHECK(full->lines == line_number(1) + line_number(2));
  CHECK(full->count == 2);
  const std::uint64_t number = full->number;
  // One request at a time keeps the order.
  CHECK(hook.add(line_number(3), start + 1ms));
  CHECK(hook.begin(start + 5s) == nullptr);
  CHECK(hook.due() == never);
  CHECK(hook.answered(number, with_status(204), start + 5s) == Webhook::Fate::delivered);
  const Webhook::Batch* const late = hook.begin(start + 5s);
  REQUIRE(late != nullptr);
  CHECK(late->lines == line_number(3));
  CHECK(hook.answered(late->number, with_status(200), start + 5s) == Webhook::Fate::delivered);
  CHECK(hook.is_idle());
  const WebhookCounts counts = hook.counts();
  CHECK(counts.delivered == 3);
  CHECK(counts.requests_taken == 2);
  CHECK(counts.waiting == 0);
  CHECK(counts.bytes_waiting == 0);
}

TEST_CASE("webhook: what may help later is tried again under the same id, ever more rarely") {
  Webhook hook({.batch_max = 1, .retry_for = 1h}, start);
  hook.add(line_number(1), start);
  Instant now = start;
  std::string id;
  Duration last_pause{};
  for (const int status : {0, 500, 503, 429, 408}) {
    const Webhook::Batch* const batch = hook.begin(now);
    REQUIRE(batch != nullptr);
    CHECK((id.empty() || id == batch->id));
    id = batch->id;
    CHECK(hook.answered(batch->number, with_status(status), now) == Webhook::Fate::put_off);
    const Duration pause = hook.due() - now;
    CHECK(pause >= 500ms);
    CHECK(pause > last_pause / 2);
    CHECK(hook.begin(hook.due() - 1ns) == nullptr);
    last_pause = pause;
    now = hook.due();
  }
  CHECK(last_pause >= 8s);
  CHECK(last_pause <= 16s);
  const Webhook::Batch* const batch = hook.begin(now);
  REQUIRE(batch != nullptr);
  CHECK(hook.answered(batch->number, with_status(200), now) == Webhook::Fate::delivered);
  CHECK(hook.counts().requests_put_off == 5);
  CHECK(hook.dead() == nullptr);
}

TEST_CASE("webhook: Retry-After is waited for, up to the time that a batch has") {
  Webhook hook({.batch_max = 1, .retry_for = 10min}, start);
  hook.add(line_number(1), start);
  WebhookAnswer later = with_status(429);
  later.retry_after = 120s;
  CHECK(hook.answered(hook.begin(start)->number, later, start) == Webhook::Fate::put_off);
  CHECK(hook.due() == start + 120s);
  later.retry_after = 24h;
  // From the first try on the batch has ten minutes.
  CHECK(hook.answered(hook.begin(start + 120s)->number, later, start + 120s) ==
        Webhook::Fate::dead);
  CHECK(take_dead(hook) == line_number(1));
  hook.add(line_number(2), start + 120s);
  CHECK(hook.due() == start + 120s + 10min);
}

TEST_CASE("webhook: what no other try helps is dead at once, and the next batch goes on") {
  for (const int status : {301, 400, 401, 403, 404, 410, 413, 422}) {
    Webhook hook({.batch_max = 1}, start);
    hook.add(line_number(1), start);
    hook.add(line_number(2), start);
    CHECK(hook.answered(hook.begin(start)->number, with_status(status), start) ==
          Webhook::Fate::dead);
    CHECK(take_dead(hook) == line_number(1));
    const Webhook::Batch* const next = hook.begin(start);
    REQUIRE(next != nullptr);
    CHECK(next->lines == line_number(2));
    CHECK(hook.counts().requests_refused == 1);
    CHECK(hook.counts().dead_letters == 1);
  }
}

TEST_CASE("webhook: a batch that was tried for long enough is dead, and so is each behind it") {
  Webhook hook({.batch_max = 1, .retry_for = 1min}, start);
  for (int number = 0; number < 3; ++number) {
    hook.add(line_number(number), start);
  }
  std::string dead;
  Instant now = start;
  while (hook.counts().waiting > 0) {
    now = std::max(now, hook.due());
    const Webhook::Batch* const batch = hook.begin(now);
    REQUIRE(batch != nullptr);
    static_cast<void>(hook.answered(batch->number, with_status(502), now));
    dead += take_dead(hook);
  }
  CHECK(dead == line_number(0) + line_number(1) + line_number(2));
  CHECK(now - start < 20min);
}

TEST_CASE("webhook: without room the oldest that nobody has tried become dead letters") {
  Webhook hook({.batch_max = 2, .queue_bytes = 60}, start);
  hook.add(line_number(1), start);
  hook.add(line_number(2), start);
  const std::uint64_t number = hook.begin(start)->number;
  std::uint64_t most = 0;
  for (int more = 3; more < 50; ++more) {
    hook.add(line_number(more), start);
    if (const Webhook::Dead* const dead = hook.dead()) {
      CHECK(dead->had_no_room);
      take_dead(hook);
    }
    most = std::max(most, hook.counts().bytes_waiting);
  }
  CHECK(most <= 60);
  CHECK(hook.counts().dead_letters > 40);
  CHECK(hook.counts().dead_letters + hook.counts().waiting == 49);
  CHECK(hook.answered(number, with_status(200), start) == Webhook::Fate::delivered);
}

TEST_CASE("webhook: it is stuck while more waits for the file than may wait for the receiver") {
  Webhook hook({.batch_max = 1, .queue_bytes = 50}, start);
  int number = 0;
  while (!hook.is_stuck()) {
    REQUIRE(number < 50);
    if (hook.dead() == nullptr) {
      const bool has_room = hook.has_room_for(line_number(number));
      hook.add(line_number(number++), start);
      CHECK(has_room == (hook.dead() == nullptr));
    } else {
      hook.add(line_number(number++), start);
    }
  }
  CHECK_FALSE(hook.has_room_for(line_number(number)));
  take_dead(hook);
  CHECK_FALSE(hook.is_stuck());
}

TEST_CASE("webhook: several requests at a time, but one while it fails") {
  Webhook hook({.batch_max = 1, .requests_max = 3}, start);
  for (int number = 0; number < 9; ++number) {
    hook.add(line_number(number), start);
  }
  std::vector<std::uint64_t> numbers;
  while (const Webhook::Batch* const batch = hook.begin(start)) {
    numbers.push_back(batch->number);
  }
  CHECK(numbers.size() == 3);
  for (const std::uint64_t number : numbers) {
    CHECK(hook.answered(number, with_status(500), start) == Webhook::Fate::put_off);
  }
  const Instant later = hook.due();
  const Webhook::Batch* const canary = hook.begin(later);
  REQUIRE(canary != nullptr);
  const std::uint64_t number = canary->number;
  CHECK(hook.begin(later) == nullptr);
  CHECK(hook.due() == never);
  CHECK(hook.answered(number, with_status(200), later) == Webhook::Fate::delivered);
  CHECK(hook.begin(later) != nullptr);
  CHECK(hook.begin(later) != nullptr);
}

TEST_CASE("webhook: at the end each batch is tried once more, without a wait") {
  Webhook hook({.batch_max = 2, .delay = 1h}, start);
  hook.add(line_number(1), start);
  hook.add(line_number(2), start);
  hook.add(line_number(3), start);
  CHECK(hook.answered(hook.begin(start)->number, with_status(500), start) ==
        Webhook::Fate::put_off);
  hook.end_soon();
  CHECK(hook.due() <= start);
  CHECK(hook.answered(hook.begin(start)->number, with_status(500), start) == Webhook::Fate::dead);
  CHECK(hook.answered(hook.begin(start)->number, with_status(200), start) ==
        Webhook::Fate::delivered);
  CHECK(hook.is_idle());
  CHECK(take_dead(hook) == line_number(1) + line_number(2));
}

TEST_CASE("webhook: given up, everything is dead in its order, what is under way first") {
  Webhook hook({.batch_max = 2, .delay = 1h}, start);
  std::string all;
  for (int number = 0; number < 7; ++number) {
    hook.add(line_number(number), start);
    all += line_number(number);
  }
  REQUIRE(hook.begin(start) != nullptr);
  hook.give_up();
  CHECK(hook.is_idle());
  CHECK(take_dead(hook) == all);
  CHECK(hook.counts().dead_letters == 7);
  CHECK(hook.counts().bytes_waiting == 0);
}

TEST_CASE("webhook: by any chance each line is delivered or dead, once") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 chance(seed);
  const auto any = [&chance](int below) { return static_cast<int>(chance() % unsigned(below)); };
  for (int round = 0; round < 200; ++round) {
    Webhook hook({.batch_max = std::size_t(1 + any(5)),
                  .batch_bytes_max = std::size_t(20 + any(100)),
                  .requests_max = std::size_t(1 + any(3)),
                  .delay = std::chrono::milliseconds(any(2000)),
                  .retry_for = std::chrono::seconds(any(100)),
                  .queue_bytes = std::uint64_t(30 + any(400)),
                  .seed = std::uint64_t(round)},
                 start);
    Instant now = start;
    std::vector<std::pair<std::uint64_t, std::string>> under_way;
    std::string told;
    int added = 0;
    const auto answer_any = [&](int status) {
      const auto at = under_way.begin() + any(static_cast<int>(under_way.size()));
      if (hook.answered(at->first, with_status(status), now) == Webhook::Fate::delivered) {
        told += at->second;
      }
      under_way.erase(at);
    };
    for (int step = 0; step < 100; ++step) {
      switch (any(4)) {
        case 0:
          hook.add(line_number(added++), now);
          break;
        case 1:
          if (const Webhook::Batch* const batch = hook.begin(now)) {
            under_way.emplace_back(batch->number, batch->lines);
          }
          break;
        case 2:
          if (!under_way.empty()) {
            constexpr int statuses[] = {0, 200, 200, 404, 429, 503};
            answer_any(statuses[any(6)]);
          }
          break;
        default:
          now += std::chrono::milliseconds(any(3000));
          told += any(2) == 0 ? take_dead(hook) : "";
      }
      const WebhookCounts counts = hook.counts();
      REQUIRE(counts.delivered + counts.dead_letters + counts.waiting == std::uint64_t(added));
    }
    hook.end_soon();
    hook.give_up();
    told += take_dead(hook);
    std::vector<int> ids;
    for (std::size_t at = told.find(":\""); at != std::string::npos;
         at = told.find(":\"", at + 1)) {
      ids.push_back(std::stoi(told.substr(at + 2)));
    }
    std::sort(ids.begin(), ids.end());
    REQUIRE(ids.size() == static_cast<std::size_t>(added));
    for (int number = 0; number < added; ++number) {
      REQUIRE(ids[static_cast<std::size_t>(number)] == number);
    }
  }
}

}  // namespace ringpost::serve::test
