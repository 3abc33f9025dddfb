// The hash of a job line: ids, Message-IDs and the journal are made of it.
#include <benchmark/benchmark.h>

#include "bench/micro/content.h"
#include "codec/journal/line_hash.h"

namespace {

void hash(benchmark::State& state) {
  const std::string line = ringpost::bench::mail_text(static_cast<std::size_t>(state.range(0)), 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(ringpost::codec::hash_line(line));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}

BENCHMARK(hash)->ArgName("bytes")->Arg(256)->Arg(2048)->Arg(76800);

}  // namespace
