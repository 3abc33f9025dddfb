// The one pass over a message's content: line ends, NUL, 8-bit, line lengths, leading dots.
#include <benchmark/benchmark.h>

#include "bench/micro/content.h"
#include "codec/mail/content_check.h"

namespace {

void check_crlf(benchmark::State& state) {
  std::string content = ringpost::bench::mail_text(static_cast<std::size_t>(state.range(0)), 100);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        ringpost::codec::canonicalise(content, ringpost::codec::NewlinePolicy::strict));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(content.size()));
}

BENCHMARK(check_crlf)->ArgName("bytes")->Arg(2048)->Arg(10240)->Arg(76800)->Arg(25 << 20);

}  // namespace
