// Text of a server's into an outcome line, and numbers.
#include <benchmark/benchmark.h>

#include "bench/micro/content.h"
#include "codec/text/json_text.h"

namespace {

void write_string(benchmark::State& state) {
  const std::string text = ringpost::bench::mail_text(static_cast<std::size_t>(state.range(0)), 0);
  std::string out;
  for (auto _ : state) {
    out.clear();
    ringpost::codec::append_json_string(out, text);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void write_milliseconds(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    ringpost::codec::append_json_milliseconds(out, 12.345F);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(write_string)->ArgName("bytes")->Arg(32)->Arg(512);
BENCHMARK(write_milliseconds);

}  // namespace
