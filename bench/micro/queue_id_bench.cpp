// The server's name for a message, out of the words of its reply.
#include <string>

#include <benchmark/benchmark.h>

#include "codec/smtp/queue_id.h"

namespace {

void find(benchmark::State& state, ringpost::Bytes text) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(ringpost::codec::find_queue_id(text));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK_CAPTURE(find, postfix, "2.0.0 Ok: queued as 4F1C2A3B5D");
BENCHMARK_CAPTURE(find, exim, "49 byte chunk, total 49\nOK id=1uJ2Qe-00000000AbC-3xYz");
BENCHMARK_CAPTURE(find, none, "Message accepted for delivery, have a good day");

}  // namespace
