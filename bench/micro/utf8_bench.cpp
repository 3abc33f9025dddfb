// Whether text is what it should be.
#include <benchmark/benchmark.h>

#include "bench/micro/content.h"
#include "codec/text/utf8.h"

namespace {

void check(benchmark::State& state, bool (*is_it)(ringpost::Bytes)) {
  const std::string text = ringpost::bench::mail_text(static_cast<std::size_t>(state.range(0)), 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(is_it(text));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK_CAPTURE(check, ascii, ringpost::codec::is_ascii)->ArgName("bytes")->Arg(64)->Arg(2048);
BENCHMARK_CAPTURE(check, utf8, ringpost::codec::is_utf8)->ArgName("bytes")->Arg(64)->Arg(2048);

}  // namespace
