// Deliveries through the queue, in the batches of the engine.
#include <array>

#include <benchmark/benchmark.h>

#include "queue/delivery_queue.h"

namespace {

using ringpost::Delivery;

void push_and_take(benchmark::State& state) {
  ringpost::queue::DeliveryQueue queue;
  ringpost::queue::DeliveryQueue::Producer producer(queue);
  ringpost::queue::DeliveryQueue::Consumer consumer(queue);
  Delivery job;
  std::array<Delivery*, 32> given{};
  given.fill(&job);
  std::array<Delivery*, 16> taken{};
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
