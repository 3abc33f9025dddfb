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
  std::array<Delivery*, 256> deliveries{};
  for (auto _ : state) {
    for (Delivery*& delivery : deliveries) {
      Consignment* const consignment = pool.acquire();
      ContentMaker::open(consignment->message.content) = content;
      consignment->message.recipients.add("reader@example.net");
      delivery = &consignment->first;
      delivery->end = 1;
      delivery->open();
      pool.charge(*consignment);
    }
    pool.give_back(deliveries);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(deliveries.size()));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(deliveries.size()) *
                          state.range(0));
}

BENCHMARK(take_and_give_back)->ArgName("bytes")->Arg(2048)->Arg(10240)->Arg(76800);

}  // namespace
