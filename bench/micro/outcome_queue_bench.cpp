// Decided recipients through the queue to a consumer that is awake.
#include <array>

#include <benchmark/benchmark.h>

#include "queue/outcome_queue.h"

namespace {

using ringpost::queue::DecidedRecipients;

void push_and_take(benchmark::State& state) {
  ringpost::queue::OutcomeQueue queue;
  ringpost::queue::OutcomeQueue::Producer producer(queue);
  ringpost::Delivery delivery;
  const std::array<DecidedRecipients, 32> given{{{&delivery, 0, 1}}};
  std::array<DecidedRecipients, 256> taken{};
  for (auto _ : state) {
    producer.push(given);
    benchmark::DoNotOptimize(queue.take(taken));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(given.size()));
}

BENCHMARK(push_and_take);

}  // namespace
