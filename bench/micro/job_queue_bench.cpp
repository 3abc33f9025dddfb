// Jobs through the queue, in the batches of the engine.
#include <array>

#include <benchmark/benchmark.h>

#include "queue/job_queue.h"

namespace {

using ringpost::Job;

void push_and_take(benchmark::State& state) {
  ringpost::queue::JobQueue queue;
  ringpost::queue::JobQueue::Producer producer(queue);
  ringpost::queue::JobQueue::Consumer consumer(queue);
  Job job;
  std::array<Job*, 32> given{};
  given.fill(&job);
  std::array<Job*, 16> taken{};
  for (auto _ : state) {
    producer.push(given);
    for (std::size_t count = given.size(); count > 0;) {
      count -= consumer.take(taken);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(given.size()));
}

BENCHMARK(push_and_take);

}  // namespace
