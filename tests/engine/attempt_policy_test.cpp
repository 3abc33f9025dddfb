// What comes next for a recipient, verdict by verdict. Whole rows of attempts: attempt_rows_test.
#include "engine/attempt_policy.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fmt/format.h>

#include <ringpost/limits.h>

namespace ringpost::engine {

namespace {

using namespace std::chrono_literals;
using protocol::Verdict;
using protocol::WaitEnd;

// What sessions make: see engine/protocol/verdict.
Verdict reply(Status status, Stage stage) {
  Verdict verdict;
  verdict.status = status;
  verdict.stage = stage;
  return verdict;
}

Verdict other_way(Stage stage) {
  Verdict verdict = reply(Status::unsent, stage);
  verdict.may_retry = true;
  verdict.counts_as_attempt = false;
  return verdict;
}

Verdict too_fast() {
  Verdict verdict = other_way(Stage::eod);
  verdict.too_fast = true;
  return verdict;
}

AttemptHistory slowed(std::uint32_t times, std::uint32_t attempts = 0) {
  return {.attempts = attempts, .rate_refusals = times};
}

Verdict quota() {
  Verdict verdict = reply(Status::unsent, Stage::mail);
  verdict.may_retry = verdict.wants_pause = true;
  return verdict;
}

Verdict quota_of(Duration window) {
  Verdict verdict = quota();
  verdict.counts_as_attempt = false;
  verdict.quota_window = window;
  return verdict;
}

AttemptHistory rested(Duration pauses) {
  AttemptHistory history;
  history.has_rested_for = pauses;
  return history;
}

Verdict explained_quota() {
  Verdict verdict = quota();
  verdict.reason = "the credits of the plan are used up";
  return verdict;
}

Verdict loss(Stage stage, bool was_next) {
  Verdict verdict = reply(Status::unsent, stage);
  verdict.may_retry = true;
  verdict.was_next = was_next;
  verdict.reason = "the server closed the connection";
  return verdict;
}

Verdict aborted(Stage stage) {
  Verdict verdict = loss(stage, true);
  verdict.may_retry = false;
  return verdict;
}

constexpr AttemptRules three_attempts = {3, 1s, false};
constexpr AttemptRules stopped = {3, 1s, true};

std::string_view name_of_step(NextStep step) {
  constexpr std::array<std::string_view, 4> names = {"over", "at once", "after a pause",
                                                     "set aside"};
  return names[static_cast<std::size_t>(step)];
}

std::string words_of_decision(const Decision& decision) {
  return fmt::format("{}{}{}", name_of_step(decision.next), decision.counts ? ", counts" : "",
                     decision.marks_loss ? ", marks" : "");
}

struct PolicyRow {
  const char* what;
  Verdict verdict;
  AttemptHistory history;
  AttemptRules rules;
  const char* decision;
};

AttemptHistory before(std::uint32_t attempts, Stage lost_at = Stage::local,
                      bool lost_with_others = false) {
  return {.attempts = attempts, .lost_at = lost_at, .lost_with_others = lost_with_others};
}

constexpr AttemptHistory progressed = {.session_progressed = true};

const std::vector<PolicyRow>& policy_rows() {
  static const std::vector<PolicyRow> rows = {
      {"taken", reply(Status::accepted, Stage::eod), {}, three_attempts, "over, counts"},
      {"5xx", reply(Status::rejected, Stage::rcpt), {}, three_attempts, "over, counts"},
      {"no reply to the dot",
       reply(Status::unknown, Stage::eod),
       {},
       three_attempts,
       "over, counts"},
      {"refused here", reply(Status::invalid, Stage::local), {}, three_attempts, "over"},
      {"4xx", reply(Status::deferred, Stage::rcpt), {}, three_attempts, "after a pause, counts"},
      {"4xx again", reply(Status::deferred, Stage::eod), before(1), three_attempts,
       "after a pause, counts"},
      {"the last 4xx", reply(Status::deferred, Stage::mail), before(2), three_attempts,
       "over, counts"},
      {"4xx, stopped", reply(Status::deferred, Stage::mail), {}, stopped, "over, counts"},
      {"another way", other_way(Stage::rcpt), {}, three_attempts, "at once"},
      {"another way at last", other_way(Stage::rcpt), before(9), three_attempts, "at once"},
      {"another way, stopped", other_way(Stage::rcpt), {}, stopped, "over"},
      {"too fast", too_fast(), before(2), three_attempts, "at once"},
      {"too fast, stopped", too_fast(), {}, stopped, "over"},
      {"too fast again", too_fast(), slowed(1, 2), three_attempts, "after a pause"},
      {"too fast for minutes", too_fast(), slowed(31, 2), three_attempts, "after a pause"},
      {"too fast, and it alone", too_fast(), slowed(32), three_attempts, "after a pause, counts"},
      {"too fast at last", too_fast(), slowed(34, 2), three_attempts, "over, counts"},
      {"quota", quota(), {}, three_attempts, "after a pause, counts"},
      {"quota for the last time", quota(), before(2), three_attempts, "over, counts"},
      {"quota with a rule's words for people", explained_quota(), progressed, three_attempts,
       "after a pause, counts"},
      {"quota that moves", quota_of(24h), rested(23h), three_attempts, "after a pause"},
      {"quota that should have moved", quota_of(24h), rested(24h), three_attempts,
       "after a pause, counts"},
      {"lost", loss(Stage::data, true), {}, three_attempts, "at once, counts, marks"},
      {"lost behind others", loss(Stage::data, false), {}, three_attempts, "at once, counts"},
      {"lost elsewhere", loss(Stage::data, true), before(1, Stage::rcpt), three_attempts,
       "after a pause, counts, marks"},
      {"lost there again", loss(Stage::data, true), before(1, Stage::data), three_attempts,
       "set aside, counts, marks"},
      {"lost there again behind others", loss(Stage::data, false), before(1, Stage::data),
       three_attempts, "after a pause, counts"},
      {"lost there with others", loss(Stage::data, true), before(1, Stage::data, true),
       three_attempts, "after a pause, counts, marks"},
      {"and once more", loss(Stage::data, true), before(2, Stage::data, true), three_attempts,
       "set aside, counts, marks"},
      {"lost for the last time", loss(Stage::data, true), before(2), three_attempts,
       "over, counts, marks"},
      {"lost there again, stopped", loss(Stage::data, true), before(1, Stage::data), stopped,
       "set aside, counts, marks"},
      {"ended by us", aborted(Stage::data), before(1, Stage::data), three_attempts, "over, counts"},
      {"lost before it was its turn", loss(Stage::mail, true), progressed, three_attempts,
       "at once"},
      {"lost at the first MAIL",
       loss(Stage::mail, true),
       {},
       three_attempts,
       "at once, counts, marks"},
      {"lost at RCPT behind others", loss(Stage::rcpt, true), progressed, three_attempts,
       "at once, counts, marks"},
  };
  return rows;
}

// Every verdict that can be written down, with every history and every rule.
void for_each_case(
    const std::function<void(const Verdict&, const AttemptHistory&, const AttemptRules&)>& check) {
  for (unsigned bits = 0; bits < 1u << 10; ++bits) {
    const auto bit = [bits](unsigned index) { return (bits >> index & 1u) != 0; };
    Verdict verdict;
    verdict.may_retry = bit(0);
    verdict.counts_as_attempt = bit(1);
    verdict.was_next = bit(2);
    verdict.wants_pause = bit(3);
    verdict.reason = bit(4) ? "a reason" : "";
    verdict.too_fast = bit(9);
    for (std::size_t status = 0; status < status_count; ++status) {
      for (const Stage stage : {Stage::local, Stage::mail, Stage::eod}) {
        verdict.status = static_cast<Status>(status);
        verdict.stage = stage;
        for (const std::uint32_t attempts : {0u, 1u, 2u, 7u}) {
          const AttemptHistory history = {
              attempts, Status::deferred, bit(5) ? Stage::mail : Stage::local,
              bit(6),   bit(7),           bit(9) ? attempts * 16 : 0};
          check(verdict, history, {3, 1s, bit(8)});
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("attempt policy: each verdict leads to its next step") {
  for (const PolicyRow& row : policy_rows()) {
    INFO(row.what);
    CHECK(words_of_decision(decide(row.verdict, row.history, row.rules, "salt")) == row.decision);
  }
}

TEST_CASE("attempt policy: whatever the verdict, nothing goes on that may not") {
  std::size_t cases = 0;
  for_each_case(
      [&](const Verdict& verdict, const AttemptHistory& history, const AttemptRules& rules) {
        const Decision decision = decide(verdict, history, rules, "salt");
        const bool goes_on =
            decision.next == NextStep::at_once || decision.next == NextStep::after_pause;
        const bool may_go_on = verdict.may_retry || verdict.status == Status::deferred;
        const bool is_free = may_go_on && !decision.counts && verdict.stage != Stage::local;
        const std::uint32_t attempts = history.attempts + (decision.counts ? 1 : 0);
        bool is_sound = !goes_on || (may_go_on && !rules.is_stopped);
        is_sound = is_sound && (!goes_on || !decision.counts || attempts < rules.attempts_max);
        is_sound = is_sound && (decision.next == NextStep::after_pause) == (decision.pause > 0s);
        is_sound = is_sound && (decision.next == NextStep::set_aside) == !decision.note.empty();
        is_sound = is_sound && (decision.next != NextStep::set_aside ||
                                (verdict.was_next && history.lost_at == verdict.stage));
        is_sound = is_sound && (!decision.marks_loss || (verdict.was_next && !is_free));
        is_sound = is_sound && (!decision.counts || verdict.stage != Stage::local);
        if (!is_sound) {
          CAPTURE(verdict.status, verdict.stage, verdict.may_retry, verdict.counts_as_attempt);
          CAPTURE(verdict.was_next, verdict.wants_pause, history.attempts, rules.is_stopped);
          FAIL_CHECK(words_of_decision(decision));
        }
        ++cases;
      });
  CHECK(cases == 1024 * status_count * 3 * 4);
}

TEST_CASE("attempt policy: a wait's end leaves standing what an attempt has said") {
  struct WaitRow {
    WaitEnd end;
    bool knows_trouble;
    AttemptHistory history;
    std::string_view writes;  // word, reply, reason, course, moment
  };
  const AttemptHistory fresh = {};
  const AttemptHistory unsent = {.attempts = 1, .last = Status::unsent};
  const AttemptHistory deferred = {.attempts = 1, .last = Status::deferred};
  // Sent another way, which is no attempt.
  const AttemptHistory no_attempt = {.attempts = 0, .last = Status::deferred};
  const AttemptHistory in_doubt = {.attempts = 0, .last = Status::unknown};  // by an earlier run
  const std::vector<WaitRow> rows = {
      {WaitEnd::no_session, true, in_doubt, ""},
      {WaitEnd::deadline, true, in_doubt, ""},
      {WaitEnd::over_age, false, in_doubt, ""},
      {WaitEnd::no_session, false, fresh, "word reply reason course moment"},
      {WaitEnd::no_session, false, unsent, "word reply reason course moment"},
      {WaitEnd::no_session, false, no_attempt, "word reply reason course moment"},
      {WaitEnd::no_session, false, deferred, ""},
      {WaitEnd::deadline, false, fresh, "word reason moment"},
      {WaitEnd::deadline, true, fresh, "word reply reason moment"},
      {WaitEnd::deadline, true, unsent, "word reason moment"},
      {WaitEnd::deadline, true, deferred, "moment"},
      {WaitEnd::over_age, false, deferred, "word reason moment"},
      {WaitEnd::over_age, true, deferred, "word reason moment"},
      {WaitEnd::over_age, true, fresh, "word reply reason moment"},
      {WaitEnd::no_room, false, deferred, "reason"},
      {WaitEnd::no_room, false, unsent, "reason"},
  };
  for (const WaitRow& row : rows) {
    Verdict verdict;
    verdict.wait_end = row.end;
    verdict.knows_trouble = row.knows_trouble;
    const Decision decision = decide_waiting(verdict, row.history);
    std::string writes;
    writes += decision.writes.word ? "word " : "";
    writes += decision.writes.reply ? "reply " : "";
    writes += decision.writes.reason ? "reason " : "";
    writes += decision.writes.course ? "course " : "";
    writes += decision.writes.moment ? "moment " : "";
    writes.resize(writes.empty() ? 0 : writes.size() - 1);
    INFO("wait end " << static_cast<int>(row.end) << ", attempts " << row.history.attempts);
    CHECK(writes == row.writes);
    CHECK(words_of_decision(decision) == "over");
  }
}

TEST_CASE("attempt policy: pauses grow fourfold, end at the longest, and differ by message") {
  for (std::uint32_t made = 1; made <= 12; ++made) {
    Duration middle = 1s;
    for (std::uint32_t i = 1; i < made; ++i) {
      middle = std::min<Duration>(middle * 4, limits::retry_pause_max);
    }
    bool differs = false;
    for (int message = 0; message < 50; ++message) {
      const std::string salt = "job-" + std::to_string(message);
      const Duration pause = retry_pause(1s, made, salt);
      CHECK(pause >= middle * 3 / 4);
      CHECK(pause <= middle * 5 / 4);
      CHECK(pause == retry_pause(1s, made, salt));
      differs = differs || pause != retry_pause(1s, made, "job-0");
    }
    CHECK(differs);
  }
}

TEST_CASE("attempt policy: an endpoint rests behind 32 deferrals, and longer behind 32 more") {
  EndpointMood mood;
  const Verdict deferred = reply(Status::deferred, Stage::mail);
  const auto hear = [&](const Verdict& verdict, bool is_resting = false) {
    return mood.hear(verdict, is_resting, three_attempts, "endpoint");
  };
  for (const std::uint32_t pauses : {1u, 2u}) {
    for (int i = 0; i < 31; ++i) {
      CHECK_FALSE(hear(deferred));
    }
    // Neither of the messages themselves.
    CHECK_FALSE(hear(reply(Status::deferred, Stage::rcpt)));
    CHECK_FALSE(hear(reply(Status::rejected, Stage::mail)));
    CHECK(hear(deferred) == retry_pause(1s, pauses, "endpoint"));
  }
  for (int i = 0; i < 31; ++i) {
    CHECK_FALSE(hear(deferred));
  }
  CHECK_FALSE(hear(reply(Status::accepted, Stage::eod)));
  CHECK_FALSE(hear(deferred));
  // A quota that is used up is no matter of numbers; and once a rest is on, it is known.
  CHECK_FALSE(hear(quota(), true));
  CHECK(hear(quota()) == retry_pause(1s, 1, "endpoint"));
}

TEST_CASE("attempt policy: an endpoint rests as long as its quota's window, or asks now and then") {
  for (const auto& [window, pauses] :
       {std::pair<Duration, std::vector<Duration>>{1min, {1min, 1min}},
        std::pair<Duration, std::vector<Duration>>{20min, {15min, 20min, 20min}},
        std::pair<Duration, std::vector<Duration>>{24h, {15min, 30min, 60min, 60min}}}) {
    EndpointMood mood;
    Duration sum{};
    for (const Duration pause : pauses) {
      CHECK(mood.has_rested_for() == sum);
      CHECK_FALSE(mood.hear(quota_of(window), true, three_attempts, "endpoint"));
      CHECK(mood.hear(quota_of(window), false, three_attempts, "endpoint") == pause);
      sum += pause;
    }
    CHECK_FALSE(mood.hear(reply(Status::accepted, Stage::eod), false, three_attempts, "endpoint"));
    CHECK(mood.has_rested_for() == Duration::zero());
    CHECK(mood.hear(quota_of(window), false, three_attempts, "endpoint") == pauses.front());
  }
}

}  // namespace ringpost::engine
