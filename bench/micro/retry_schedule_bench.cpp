// Deliveries that wait for another attempt.
#include <vector>

#include <benchmark/benchmark.h>

#include "queue/retry_schedule.h"

namespace {

using ringpost::Delivery;
using ringpost::Instant;

void add_and_take(benchmark::State& state) {
  ringpost::queue::RetrySchedule schedule;
  std::vector<Delivery> jobs(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      schedule.add(jobs[i], Instant(std::chrono::microseconds(i * 7919 % jobs.size())));
    }
    while (Delivery* const job = schedule.take_due(ringpost::never)) {
      benchmark::DoNotOptimize(job);
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(add_and_take)->ArgName("jobs")->Arg(64)->Arg(2048);

}  // namespace
