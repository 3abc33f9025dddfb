// Attachments, in both directions.
#include <benchmark/benchmark.h>

#include "bench/micro/content.h"
#include "codec/text/base64.h"

namespace {

void encode_lines(benchmark::State& state) {
  const std::string octets =
      ringpost::bench::mail_text(static_cast<std::size_t>(state.range(0)), 0);
  std::string out;
  for (auto _ : state) {
    out.clear();
    ringpost::codec::append_base64_lines(out, octets);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets.size()));
}

void decode(benchmark::State& state) {
  std::string text;
  ringpost::codec::append_base64(
      text, ringpost::bench::mail_text(static_cast<std::size_t>(state.range(0)), 0));
  std::string out;
  for (auto _ : state) {
    out.clear();
    if (!ringpost::codec::decode_base64(text, ringpost::codec::Base64Space::skipped, out)) {
      state.SkipWithError("the text was refused");
      break;
    }
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK(encode_lines)->ArgName("bytes")->Arg(2048)->Arg(76800);
BENCHMARK(decode)->ArgName("bytes")->Arg(2048)->Arg(76800);

}  // namespace
