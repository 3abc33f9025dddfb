// What comes next for a recipient: the one place that decides it. A verdict says what the server's
// answer, or the want of one, means; here that is weighed with what was before and with the rules
// of the endpoint. Pure: no clock, no jobs, no sessions. Who asks: Route. Who writes the decision
// down: outcome_record.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/protocol/verdict.h"
#include <ringpost/base.h>
#include <ringpost/outcome.h>

namespace ringpost::engine {

// Of one recipient, without the attempt that the verdict is about.
struct AttemptHistory {
  std::uint32_t attempts = 0;
  Status last = Status::unsent;     // while `attempts` is 0: `unknown` if an earlier run said so
  Stage lost_at = Stage::local;     // where a session was lost that was busy with its message
  bool lost_with_others = false;    // this loss came in the moment in which the session got it
  bool session_progressed = false;  // the session has done work
  std::uint32_t rate_refusals = 0;  // in a row: it came too fast
  Duration has_rested_for{};        // the endpoint, for its quota, since it took something
};

// `attempts` are those without the one at hand.
[[nodiscard]] inline AttemptHistory history_of(const Outcome& outcome) {
  return {.attempts = outcome.attempts, .last = outcome.status};
}

// Of the endpoint and the run.
struct AttemptRules {
  std::uint32_t attempts_max = 1;
  Duration pause_first{};
  bool is_stopped = false;  // nothing is begun any more
};

enum class NextStep : std::uint8_t {
  over,         // the fate is decided
  at_once,      // again, in this session or another
  after_pause,  // again
  set_aside,    // decided: the message does harm to sessions
};

// Which parts of an outcome a decision writes. The others stay as an earlier attempt left them.
struct OutcomeParts {
  bool word = true;   // the status
  bool reply = true;  // stage, code and text
  bool reason = true;
  bool course = true;  // the server's address, its name for the message, and how long all took
  bool moment = true;  // when, and at which endpoint
};

struct Decision {
  NextStep next = NextStep::over;
  bool counts = false;      // as an attempt
  bool marks_loss = false;  // the verdict's stage is where a session was lost with the message
  OutcomeParts writes;
  Duration pause{};  // with `after_pause`
  Bytes note;        // goes behind the verdict's reason
};

// Behind an attempt. `salt` decides the chance in the pause: see retry_pause().
[[nodiscard]] Decision decide_further(const protocol::Verdict& verdict,
                                      const AttemptHistory& history, const AttemptRules& rules,
                                      std::string_view salt);
[[nodiscard]] inline Decision decide(const protocol::Verdict& verdict,
                                     const AttemptHistory& history, const AttemptRules& rules,
                                     std::string_view salt) {
  // Nearly every message is taken, and that is all there is to say.
  if (!verdict.may_retry && verdict.status != Status::deferred) {
    Decision decision;
    decision.counts = verdict.stage != Stage::local;
    return decision;
  }
  return decide_further(verdict, history, rules, salt);
}

// Where a message waits, without an attempt: what ended the wait is `verdict.wait_end`.
[[nodiscard]] Decision decide_waiting(const protocol::Verdict& verdict,
                                      const AttemptHistory& history);

// The pause of an endpoint whose quota is used up: as long as its window, which moves. Where that
// is long somebody asks earlier, since others may have used it, and nobody knows when: behind a
// quarter of an hour, then half an hour, then each hour. Precondition: pauses_made > 0.
[[nodiscard]] Duration quota_pause(Duration window, std::uint32_t pauses_made);

// The pause in front of attempt `attempts_made + 1`: `first`, four times as long each time, at most
// limits::retry_pause_max, and up to a quarter more or less by chance, so that messages that were
// put off together do not come back together. The chance is in `salt`: the same message always
// waits equally long. Precondition: attempts_made > 0.
[[nodiscard]] Duration retry_pause(Duration first, std::uint32_t attempts_made,
                                   std::string_view salt);

// What a row of verdicts says of the endpoint, whosever messages they are about: a server that says
// 4xx to the messages themselves, and to nothing else, is short of something.
class EndpointMood {
 public:
  // The pause that the endpoint should have from now on, if any. `is_resting`: one is on.
  [[nodiscard]] std::optional<Duration> hear(const protocol::Verdict& verdict, bool is_resting,
                                             const AttemptRules& rules, std::string_view salt) {
    if (verdict.status == Status::accepted) {
      deferrals_in_a_row_ = 0;
      pauses_in_a_row_ = 0;
      has_rested_for_ = Duration::zero();
      return std::nullopt;
    }
    return hear_other(verdict, is_resting, rules, salt);
  }

  // For a quota whose window is known, since something was accepted.
  [[nodiscard]] Duration has_rested_for() const { return has_rested_for_; }

 private:
  [[nodiscard]] std::optional<Duration> hear_other(const protocol::Verdict& verdict,
                                                   bool is_resting, const AttemptRules& rules,
                                                   std::string_view salt);

  std::uint32_t deferrals_in_a_row_ = 0;
  std::uint32_t pauses_in_a_row_ = 0;
  Duration has_rested_for_{};
};

}  // namespace ringpost::engine
