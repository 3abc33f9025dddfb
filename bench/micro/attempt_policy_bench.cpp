// What an answer costs beyond its parsing: the decision, and the outcome that is written down.
#include <benchmark/benchmark.h>

#include "engine/attempt_policy.h"
#include "engine/outcome_record.h"

namespace {

using namespace ringpost;
using namespace std::chrono_literals;

protocol::Verdict verdict_of(Status status, Stage stage, Bytes text) {
  protocol::Verdict verdict;
  verdict.status = status;
  verdict.stage = stage;
  verdict.code = status == Status::accepted ? 250 : 451;
  verdict.text = text;
  return verdict;
}

void decide_verdict(benchmark::State& state, Status status) {
  protocol::Verdict verdict = verdict_of(status, Stage::eod, "Ok: queued as 4F1C2A3B");
  engine::AttemptHistory history;
  const engine::AttemptRules rules{5, 1s, false};
  engine::EndpointMood mood;
  for (auto _ : state) {
    benchmark::DoNotOptimize(verdict);
    benchmark::DoNotOptimize(history);
    engine::Decision decision = engine::decide(verdict, history, rules, "job-00000001");
    benchmark::DoNotOptimize(decision);
    bool rests = mood.hear(verdict, false, rules, "esp").has_value();
    benchmark::DoNotOptimize(rests);
  }
  state.SetItemsProcessed(state.iterations());
}

void record_verdict(benchmark::State& state) {
  const protocol::Verdict verdict =
      verdict_of(Status::accepted, Stage::eod, "Ok: queued as 4F1C2A3B");
  engine::Decision decision;
  decision.counts = true;
  const Instant begin(100h);
  const engine::Circumstances at{0,     1'795'000'000'123'456, "192.0.2.1:587", begin + 30ms,
                                 begin, begin + 10ms};
  Outcome outcome;
  for (auto _ : state) {
    engine::record(outcome, verdict, decision, at);
    benchmark::DoNotOptimize(outcome);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(decide_verdict, accepted, Status::accepted);
BENCHMARK_CAPTURE(decide_verdict, deferred, Status::deferred);
BENCHMARK(record_verdict);

}  // namespace
