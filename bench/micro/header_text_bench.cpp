// Header fields: plain ones, and those that need encoded words.
#include <benchmark/benchmark.h>

#include "codec/mail/header_text.h"

namespace {

void write_field(benchmark::State& state, ringpost::Bytes value) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(ringpost::codec::append_field(out, "Subject", value));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(value.size()));
}

BENCHMARK_CAPTURE(write_field, plain, "Issue 12: what came of it");
BENCHMARK_CAPTURE(write_field, folded,
                  "A subject of more than seventy-eight letters, which has to be folded somewhere "
                  "in its middle so that no line is too long");
BENCHMARK_CAPTURE(write_field, encoded,
                  "Gr\xc3\xbc\xc3\x9f"
                  "e aus M\xc3\xbcnchen, Ausgabe 12");

}  // namespace
