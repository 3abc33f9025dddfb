// Messages out of the pool and back, as the reader and the outcome thread do it.
#include <array>

#include <benchmark/benchmark.h>

#include "queue/message_pool.h"

namespace {

using ringpost::Consignment;
using ringpost::ContentMaker;
using ringpost::Delivery;

void take_and_give_back(benchmark::State& state) {
  ringpost::queue::MessagePool pool({});
  const std::string content(static_cast<std::size_t>(state.range(0)), 'x');
  constexpr std::size_t count = 256;
  std::array<Delivery*, count> deliveries{};
  std::array<Consignment*, count> consignments{};
  constexpr std::size_t charged_at_once = 32;  // as a feeder does
  for (auto _ : state) {
    for (std::size_t i = 0; i < count; ++i) {
      Consignment* const consignment = pool.acquire();
      ContentMaker::open(consignment->message.content) = content;
      consignment->message.recipients.add("reader@example.net");
      deliveries[i] = &consignment->first;
      deliveries[i]->end = 1;
      deliveries[i]->open();
      consignments[i] = consignment;
      benchmark::DoNotOptimize(ringpost::queue::MessagePool::measure(*consignment));
      if ((i + 1) % charged_at_once == 0) {
        pool.charge(std::span(consignments).subspan(i + 1 - charged_at_once, charged_at_once));
      }
    }
    pool.give_back(deliveries);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(deliveries.size()));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(deliveries.size()) *
                          state.range(0));
}

BENCHMARK(take_and_give_back)->ArgName("bytes")->Arg(2048)->Arg(10240)->Arg(76800);

}  // namespace
