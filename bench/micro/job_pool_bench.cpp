// Jobs out of the pool and back, as the reader and the outcome thread do it.
#include <array>

#include <benchmark/benchmark.h>

#include "queue/job_pool.h"

namespace {

using ringpost::Job;

void take_and_give_back(benchmark::State& state) {
  ringpost::queue::JobPool pool({});
  const std::string content(static_cast<std::size_t>(state.range(0)), 'x');
  std::array<Job*, 256> jobs{};
  for (auto _ : state) {
    for (Job*& job : jobs) {
      job = pool.acquire();
      job->content = content;
      job->add_recipient().address = "reader@example.net";
      pool.charge(*job);
    }
    pool.give_back(jobs);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(jobs.size()));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(jobs.size()) *
                          state.range(0));
}

BENCHMARK(take_and_give_back)->ArgName("bytes")->Arg(2048)->Arg(10240)->Arg(76800);

}  // namespace
