// Dot-stuffing into rooms of one TLS record, vector code beside its scalar twin.
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/micro/content.h"
#include "codec/mail/body_scan.h"
#include <ringpost/limits.h>

namespace {

using Stuff = std::size_t (*)(ringpost::Bytes, ringpost::codec::StuffCursor&, std::span<char>);

void stuff_content(benchmark::State& state, Stuff stuff) {
  const std::string content = ringpost::bench::mail_text(static_cast<std::size_t>(state.range(0)),
                                                         static_cast<std::size_t>(state.range(1)));
  std::vector<char> room(ringpost::limits::tls_record_bytes_max);
  for (auto _ : state) {
    ringpost::codec::StuffCursor cursor;
    while (cursor.offset < content.size()) {
      benchmark::DoNotOptimize(stuff(content, cursor, room));
      benchmark::ClobberMemory();
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(content.size()));
}

void arguments(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"bytes", "dotted_every"});
  benchmark->ArgsProduct({{2048, 10240, 76800}, {0, 100, 1}});
}

BENCHMARK_CAPTURE(stuff_content, vector, ringpost::codec::stuff)->Apply(arguments);
BENCHMARK_CAPTURE(stuff_content, scalar, ringpost::codec::stuff_scalar)->Apply(arguments);

}  // namespace
