#include "engine/protocol/step_clock.h"

#include <chrono>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using namespace std::chrono_literals;

namespace ringpost::protocol {
namespace {

struct StepNotes : StepListener {
  std::vector<std::pair<Stage, Duration>> steps;
  void on_step(Stage stage, Duration taken) override { steps.emplace_back(stage, taken); }
};

Expectation awaited(Expected kind, std::uint64_t sent_offset) {
  Expectation expectation;
  expectation.kind = kind;
  expectation.sent_offset = sent_offset;
  return expectation;
}

constexpr Instant start_of_steps = Instant{} + 1h;

TEST_CASE("step clock: commands that left together are timed one by one from that moment") {
  StepNotes notes;
  StepClock clock(notes, start_of_steps);
  clock.answered(awaited(Expected::greeting, 0), start_of_steps + 5ms);
  clock.left(60, start_of_steps + 10ms);
  clock.left(90, start_of_steps + 12ms);
  clock.answered(awaited(Expected::mail, 30), start_of_steps + 20ms);
  clock.answered(awaited(Expected::rcpt, 60), start_of_steps + 21ms);
  clock.answered(awaited(Expected::data, 61), start_of_steps + 22ms);
  CHECK(notes.steps ==
        std::vector<std::pair<Stage, Duration>>{
            {Stage::greeting, 5ms}, {Stage::mail, 10ms}, {Stage::rcpt, 11ms}, {Stage::data, 10ms}});
}

TEST_CASE("step clock: a login is one step, from its first command to its last answer") {
  StepNotes notes;
  StepClock clock(notes, start_of_steps);
  clock.left(10, start_of_steps);
  clock.answered(awaited(Expected::auth, 10), start_of_steps + 40ms);
  clock.left(30, start_of_steps + 41ms);
  clock.answered(awaited(Expected::auth, 30), start_of_steps + 90ms);
  CHECK(notes.steps.empty());
  clock.ready();
  CHECK(notes.steps == std::vector<std::pair<Stage, Duration>>{{Stage::auth, 90ms}});
}

TEST_CASE("step clock: a session without a login has none, and what has not left no time") {
  StepNotes notes;
  StepClock clock(notes, start_of_steps);
  clock.ready();
  clock.left(10, start_of_steps);
  clock.answered(awaited(Expected::mail, 11), start_of_steps + 1ms);
  clock.answered(awaited(Expected::rset, 11), start_of_steps + 1ms);
  CHECK(notes.steps.empty());
}

TEST_CASE("step clock: a long session keeps what it still needs") {
  StepNotes notes;
  StepClock clock(notes, start_of_steps);
  for (std::uint64_t i = 1; i <= 10'000; ++i) {
    clock.left(i, start_of_steps + i * 1ms);
    if (i > 3) {
      clock.answered(awaited(Expected::mail, i - 3), start_of_steps + i * 1ms);
      CHECK(notes.steps.back().second == 3ms);
    }
  }
}

}  // namespace
}  // namespace ringpost::protocol
